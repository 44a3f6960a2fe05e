"""A record whose header has a name that is not UTF-8 stops neither its partition nor itself."""

import asyncio
from collections.abc import Collection
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.producer import message_accumulator
from aiokafka.producer import producer as producer_module
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.delivery.values import Arrival
from sluicegate_consumer.operations.settings import KafkaSettings

pytestmark = pytest.mark.integration

ODD = {2, 5, 6}
"""Which of the records have such a name, one of them the last of a batch."""
COUNT = 9


class Latin(str):
    """A name that a producer writes as Latin-1, as clients in C may."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return super().encode("latin-1")


async def publish(servers: str, topic: str, codec: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 7 and 2 records."""
    for module in (message_accumulator, producer_module):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    producer = AIOKafkaProducer(bootstrap_servers=servers, compression_type=codec, linger_ms=200)
    await producer.start()
    for numbers in (range(7), range(7, COUNT)):
        sent = [
            await producer.send(
                topic, b"%d" % number, b"key", headers=[(Latin("café") if number in ODD else "café", b"1"), ("b", b"2")]
            )
            for number in numbers
        ]
        await asyncio.gather(*sent)
    await producer.stop()


async def nobody(_: Collection[object]) -> None:
    """No interest."""


@pytest.mark.parametrize("codec", [None, "gzip", "lz4"])
@pytest.mark.parametrize("at_once", [1, 100])
async def test_they_and_their_neighbours_arrive_in_order(
    kafka: str, codec: str | None, at_once: int, monkeypatch: pytest.MonkeyPatch
):
    topic = f"names-{uuid4().hex}"
    await publish(kafka, topic, codec, monkeypatch)
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)  # as no other test has changed it
    source = KafkaSource(KafkaSettings(bootstrap_servers=kafka), topic, f"{topic}-readers")
    await source.start(nobody)
    arrived = list[Arrival]()
    try:
        async with asyncio.timeout(30):
            while len(arrived) < COUNT:
                arrived += await source.receive(at_once, 0.2)
    finally:
        await source.stop()
    require_all(arrived)


async def test_who_only_looks_sees_them_as_well(kafka: str, monkeypatch: pytest.MonkeyPatch):
    topic = f"names-{uuid4().hex}"
    await publish(kafka, topic, None, monkeypatch)
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    require_all([arrival async for arrival in read_topic(KafkaSettings(bootstrap_servers=kafka), topic)])


def require_all(arrived: list[Arrival]) -> None:
    assert [b"%d" % number for number in range(COUNT)] == [arrival.message.value for arrival in arrived]
    assert list(range(COUNT)) == [arrival.offset for arrival in arrived]
    for number, arrival in enumerate(arrived):
        assert (("caf\ufffd" if number in ODD else "café", b"1"), ("b", b"2")) == arrival.message.headers
