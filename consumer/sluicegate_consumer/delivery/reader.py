"""Reads a topic from its beginning, without a group: for looking, not for processing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from sluicegate_consumer.delivery.bounded import finish_within
from sluicegate_consumer.delivery.kafka_admin import describe_topics, kafka_admin
from sluicegate_consumer.delivery.kafka_client import arrival_of, client_options
from sluicegate_consumer.delivery.kafka_records import read_any_header_name
from sluicegate_consumer.delivery.refusals import principal, refused
from sluicegate_consumer.delivery.values import Arrival
from sluicegate_consumer.errors import ConfigurationError, Transient
from sluicegate_consumer.operations.settings import KafkaSettings

STOP_TIMEOUT_S = 5.0
POLL_MS = 250


async def read_topic(kafka: KafkaSettings, topic: str, *, follow: bool = False) -> AsyncGenerator[Arrival, None]:
    """Every record of the topic, in order within a partition, up to the ends that it had when reading began.

    To be closed by who leaves it early (`contextlib.aclosing`).

    Args:
        kafka: How to reach the brokers.
        topic: Must exist.
        follow: Go on after the ends, for ever.

    Raises:
        ConfigurationError: there is no such topic, or it may not be read.
        Transient: the brokers cannot be reached, or nothing has come for `kafka.request_timeout_s` although
            there is more.
    """
    partitions = await _partitions(kafka, topic)
    async with _consumer(kafka, topic) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        records = _all(consumer) if follow else _until_end(consumer, partitions, kafka.request_timeout_s)
        async for record in records:
            yield arrival_of(record)


async def _partitions(kafka: KafkaSettings, topic: str) -> list[TopicPartition]:
    async with kafka_admin(kafka) as admin:
        described = (await describe_topics(admin, [topic])).get(topic)
    if described is None:
        raise ConfigurationError(
            f"topic {topic} does not exist at {kafka.bootstrap_servers}, or {principal(kafka)} may not Describe it: "
            "run `sluicegate topics create`, or grant what docs/kafka-rights.md lists"
        )
    return [TopicPartition(topic, number) for number in range(described.partitions)]


@asynccontextmanager
async def _consumer(kafka: KafkaSettings, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    read_any_header_name()
    consumer = AIOKafkaConsumer(
        **client_options(kafka),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=kafka.max_record_bytes,
    )
    try:
        async with asyncio.timeout(kafka.request_timeout_s):
            await consumer.start()
        yield consumer
    except (KafkaError, TimeoutError, OSError) as error:
        if (why := refused(error, kafka, "Read", topic=topic)) is not None:
            raise why from error
        raise Transient(f"Kafka at {kafka.bootstrap_servers}: {str(error) or type(error).__name__}") from error
    finally:
        await finish_within(STOP_TIMEOUT_S, consumer.stop(), "consumer")


async def _all(consumer: AIOKafkaConsumer) -> AsyncIterator[ConsumerRecord]:
    while True:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                yield record


async def _until_end(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], patience_s: float
) -> AsyncIterator[ConsumerRecord]:
    """Compares positions, not offsets of records: a transaction's marker or a compacted tail is no record."""
    ends = await consumer.end_offsets(partitions)
    clock = asyncio.get_running_loop().time
    heard = clock()
    while behind := await _behind(consumer, ends, patience_s):
        answer = await consumer.getmany(*behind, timeout_ms=POLL_MS)
        for partition, records in answer.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        if answer:
            heard = clock()
        elif clock() - heard > patience_s:
            raise TimeoutError(f"no record for {patience_s:.0f} s, although there are more")


async def _behind(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], patience_s: float
) -> list[TopicPartition]:
    async with asyncio.timeout(patience_s):
        return [partition for partition, end in ends.items() if await consumer.position(partition) < end]
