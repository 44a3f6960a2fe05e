"""Verdicts as the broker has them: how many there are, and when each was in its log."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean

from aiokafka import AIOKafkaConsumer, TopicPartition

from cluster import Cluster
from contender import Running
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_schemas.cloudevents import write
from sluicegate_schemas.events import ImageReference, Upload
from sluicegate_schemas.message import Message

LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """One verdict."""

    upload_id: str
    uploaded_s: float
    """When its upload was due, in seconds since 1970."""
    appended_s: float
    """When the broker appended it; whole milliseconds."""
    decision: str
    size: int
    """Bytes of its record: key, value and headers."""

    @property
    def latency_s(self) -> float:
        """From upload to verdict."""
        return self.appended_s - self.uploaded_s


async def seen(cluster: Cluster, topic: str) -> list[Seen]:
    """All verdicts of a topic, repeated ones too, in the order in which they were appended."""
    found = []
    async for arrival in read_topic(cluster.kafka, topic):
        event = json.loads(arrival.message.value or b"{}")
        uploaded = datetime.fromisoformat(event["uploaded_at"]).timestamp()
        stamp = (arrival.message.timestamp_ms or 0) / 1000
        found.append(Seen(event["upload_id"], uploaded, stamp, event["decision"], record_bytes(arrival.message)))
    return sorted(found, key=lambda verdict: verdict.appended_s)


def record_bytes(message: Message) -> int:
    """Of key, value and headers."""
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers


def upload_bytes(uris: Sequence[str]) -> float:
    """Of an upload's record that refers to an image, on average."""
    now = datetime.now(UTC)
    uploads = [Upload(upload_id="upload-1234", uploaded_at=now, image=ImageReference(uri=uri)) for uri in uris]
    return mean(record_bytes(write(event, source="sluicegate-producer")) for event in uploads)


class Counter:
    """Asks the broker for a topic's ends; reads no record."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str) -> None:
        self._consumer = consumer
        self._partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]

    async def count(self) -> int:
        """Verdicts so far."""
        return sum((await self._consumer.end_offsets(self._partitions)).values())

    async def reach(self, count: int, runs: Sequence[Running], within_s: float) -> bool:
        """Wait for so many verdicts; whether they came in time."""
        deadline = time.monotonic() + within_s
        while await self.count() < count:
            for run in runs:
                run.require()
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_S)
        return True


@asynccontextmanager
async def counter(cluster: Cluster, topic: str) -> AsyncIterator[Counter]:
    """A client that counts the verdicts of a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=cluster.servers, group_id=None)
    await consumer.start()
    try:
        yield Counter(consumer, topic)
    finally:
        await consumer.stop()
