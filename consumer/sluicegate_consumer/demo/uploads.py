"""Publishing the images, as a platform does: one event each, which says where the image lies."""

import asyncio
from collections.abc import Iterable

from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.demo.photographs import Submission
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_producer import About, UploadPublisher
from sluicegate_schemas.topics import Topics


async def create_all_topics(kafka: KafkaSettings) -> None:
    """What `sluicegate topics create` does."""
    async with kafka_admin(kafka) as admin:
        await create_topics(admin, topic_plans(Topics(), kafka.max_record_bytes))


async def upload_all(kafka: KafkaSettings, submissions: Iterable[Submission]) -> None:
    """Publish every submission; returns when the broker has acknowledged them all.

    By URI, not by path: the publisher would refuse a path that holds no image, and what becomes of those is part of
    what there is to see.
    """
    async with UploadPublisher(kafka.bootstrap_servers, source="sluicegate-demo") as publisher:
        receipts = [
            await publisher.submit_uri(
                submission.path.as_uri(), About(upload_id=submission.upload_id, tenant="demo", surface="post")
            )
            for submission in submissions
        ]
        await asyncio.gather(*receipts)
