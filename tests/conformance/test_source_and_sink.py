"""What every source and every sink must do, on the in-memory twins and on real brokers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Producer

from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.delivery.memory import MemoryBroker, MemorySink, MemorySource
from sluicegate_consumer.delivery.sink import Sink, Unwritable
from sluicegate_consumer.delivery.source import Source
from sluicegate_consumer.delivery.values import Arrival, Partition, Record
from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.message import Message

MAX_BYTES = 1024 * 1024


class Edges:
    """Makes sources and sinks of one kind, over one topic with one partition."""

    def __init__(self, topic: str, source: Callable[[], Source], sink: Callable[[], Sink]) -> None:
        self.topic = topic
        self.source = source
        self.sink = sink

    @asynccontextmanager
    async def reading(self, revoked: Callable[[Collection[Partition]], Awaitable[None]]) -> AsyncIterator[Source]:
        source = self.source()
        await source.start(revoked)
        try:
            yield source
        finally:
            await source.stop()

    async def write(self, *values: bytes) -> None:
        sink = self.sink()
        await sink.start()
        sent = [await sink.send(Record(self.topic, message(value))) for value in values]
        await asyncio.gather(*sent)
        await sink.stop()


NOW_MS = round(time.time() * 1000)
"""Not a constant of the past: a topic's retention would drop the records as they arrive."""


def message(value: bytes) -> Message:
    return Message(b"key", value, (("a", b"1"), ("a", b"2")), NOW_MS)


async def nobody(partitions: Collection[Partition]) -> None:
    """No interest in revocations."""


async def take(source: Source, count: int) -> list[Arrival]:
    arrivals: list[Arrival] = []
    async with asyncio.timeout(30):
        while len(arrivals) < count:
            arrivals += await source.receive(count - len(arrivals), 0.2)
    return arrivals


@pytest.fixture(
    params=[
        "memory",
        pytest.param("embedded_kafka", marks=pytest.mark.integration),
        pytest.param("apache_kafka", marks=pytest.mark.integration),
    ]
)
async def edges(request: pytest.FixtureRequest) -> Edges:
    topic = f"conformance-{uuid4().hex}"
    if request.param == "memory":
        broker = MemoryBroker()
        return Edges(topic, lambda: MemorySource(broker, topic), lambda: MemorySink(broker, MAX_BYTES))
    bootstrap_servers = request.getfixturevalue(request.param)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers, max_record_bytes=MAX_BYTES)
    return Edges(topic, lambda: KafkaSource(kafka, topic, f"group-{topic}"), lambda: KafkaSink(kafka))


async def test_records_arrive_in_order_and_byte_for_byte(edges: Edges):
    await edges.write(b"first", b"", b"third")
    async with edges.reading(nobody) as source:
        arrivals = await take(source, 3)
    assert [message(b"first"), message(b""), message(b"third")] == [arrival.message for arrival in arrivals]
    assert [0, 1, 2] == [arrival.offset for arrival in arrivals]


async def test_no_more_records_come_than_were_asked_for(edges: Edges):
    await edges.write(*(b"%d" % number for number in range(10)))
    async with edges.reading(nobody) as source:
        await take(source, 1)
        assert 3 >= len(await source.receive(3, 5.0))


async def test_an_empty_topic_gives_nothing_within_the_timeout(edges: Edges):
    async with edges.reading(nobody) as source:
        async with asyncio.timeout(30):
            assert [] == list(await source.receive(10, 0.05))


async def test_a_new_member_begins_at_the_committed_offset(edges: Edges):
    await edges.write(b"a", b"b", b"c")
    async with edges.reading(nobody) as source:
        await take(source, 3)
        await source.commit({Partition(edges.topic, 0): 2})
    async with edges.reading(nobody) as source:
        assert [b"c"] == [arrival.message.value for arrival in await take(source, 1)]


async def test_what_was_not_committed_comes_again(edges: Edges):
    await edges.write(b"a")
    for _ in range(2):
        async with edges.reading(nobody) as source:
            assert [b"a"] == [arrival.message.value for arrival in await take(source, 1)]


async def test_what_is_behind_is_what_was_not_handed_over(edges: Edges):
    partition = Partition(edges.topic, 0)
    await edges.write(b"a", b"b", b"c")
    async with edges.reading(nobody) as source:
        await take(source, 2)
        assert {partition: 1} == await source.behind()
        await edges.write(b"d")
        assert {partition: 2} == await source.behind()
        await take(source, 2)
        assert {partition: 0} == await source.behind()


async def test_an_excluded_partition_gives_nothing(edges: Edges):
    await edges.write(b"a", b"b")
    async with edges.reading(nobody) as source:
        await take(source, 1)
        assert [] == list(await source.receive(10, 0.2, without={Partition(edges.topic, 0)}))
        assert [b"b"] == [arrival.message.value for arrival in await take(source, 1)]


async def test_a_record_that_is_too_large_is_refused_and_the_next_one_goes_through(edges: Edges):
    sink = edges.sink()
    await sink.start()
    with pytest.raises(Unwritable, match=edges.topic):
        await sink.send(Record(edges.topic, message(b"x" * (MAX_BYTES + 100_000))))
    await (await sink.send(Record(edges.topic, message(b"fits"))))
    await sink.stop()
    async with edges.reading(nobody) as source:
        assert [b"fits"] == [arrival.message.value for arrival in await take(source, 1)]


async def test_a_record_with_neither_key_nor_value_is_refused(edges: Edges):
    sink = edges.sink()
    await sink.start()
    with pytest.raises(Unwritable, match="neither key nor value"):
        await sink.send(Record(edges.topic, Message(None, None, ())))
    for key, value in ((b"", None), (None, b"")):
        await (await sink.send(Record(edges.topic, Message(key, value, (), NOW_MS))))
    await sink.stop()
    async with edges.reading(nobody) as source:
        written = [arrival.message for arrival in await take(source, 2)]
    assert [(b"", None), (None, b"")] == [(each.key, each.value) for each in written]


@pytest.mark.integration
@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
async def test_whatever_a_producer_compresses_with_is_read(kafka: str, codec: str):
    topic = f"compressed-{codec}-{uuid4().hex}"
    async with kafka_admin(KafkaSettings(bootstrap_servers=kafka)) as admin:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    producer = Producer({"bootstrap.servers": kafka, "compression.type": codec, "linger.ms": 50})
    for _ in range(20):
        producer.produce(topic, b"a" * 1000, b"key")
    assert 0 == await asyncio.to_thread(producer.flush, 20)
    source = KafkaSource(KafkaSettings(bootstrap_servers=kafka), topic, f"group-{topic}")
    await source.start(nobody)
    try:
        assert [b"a" * 1000] * 20 == [arrival.message.value for arrival in await take(source, 20)]
    finally:
        await source.stop()


@pytest.mark.integration
async def test_a_second_member_revokes_and_both_share_the_topic(kafka: str):
    topic, revoked = f"shared-{uuid4().hex}", asyncio.Event()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    settings = KafkaSettings(bootstrap_servers=kafka, session_timeout_s=6, rebalance_timeout_s=6)

    async def note(partitions: Collection[Partition]) -> None:
        if len(partitions) == 2:
            revoked.set()

    first, second = KafkaSource(settings, topic, topic), KafkaSource(settings, topic, topic)
    await first.start(note)
    await first.receive(1, 0.1)
    await second.start(nobody)
    async with asyncio.timeout(30):
        while not revoked.is_set():
            await first.receive(1, 0.1)
    await second.stop()
    await first.stop()


@pytest.mark.integration
async def test_who_joins_while_another_finishes_is_waited_for_and_joins_once(kafka: str, caplog):
    """A join that is given up and asked for again may leave a second member behind, which never answers."""
    topic, finished = f"patient-{uuid4().hex}", asyncio.Event()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    settings = KafkaSettings(
        bootstrap_servers=kafka, session_timeout_s=6, rebalance_timeout_s=10, request_timeout_s=1.5
    )

    async def finish(_: Collection[Partition]) -> None:
        await asyncio.sleep(3)
        finished.set()

    first, second = KafkaSource(settings, topic, topic), KafkaSource(settings, topic, topic)
    await first.start(finish)
    await first.receive(1, 0.1)
    await second.start(nobody)
    async with asyncio.timeout(30):
        while not (finished.is_set() and second._wanted(())):
            await asyncio.gather(first.receive(1, 0.1), second.receive(1, 0.1))
    await second.stop()
    await first.stop()
    assert "Error sending JoinGroupRequest" not in caplog.text


async def test_a_broker_that_is_not_there_is_fatal_and_named():
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:1", request_timeout_s=1)
    with pytest.raises(Fatal, match=r"127\.0\.0\.1:1"):
        await KafkaSink(kafka).start()
    with pytest.raises(Fatal, match=r"127\.0\.0\.1:1"):
        await KafkaSource(kafka, "uploads", "group").start(nobody)
