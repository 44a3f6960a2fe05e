"""Topics are made and read on a real broker."""

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sluicegate_consumer.delivery.kafka_admin import broker_count, kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, inspect_topics, topic_plans
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.errors import ConfigurationError, Transient
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

pytestmark = pytest.mark.integration

RECORD_BYTES = 1_000_000


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka, max_record_bytes=RECORD_BYTES, request_timeout_s=10)


@pytest.fixture
def topics() -> Topics:
    run = uuid.uuid4().hex[:8]
    return Topics(f"u-{run}", f"v-{run}", f"e-{run}", f"r-{run}", f"d-{run}")


@pytest.fixture
async def admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    async with kafka_admin(settings) as client:
        yield client


@pytest.fixture
async def topic(admin: AIOKafkaAdminClient) -> str:
    name = f"t-{uuid.uuid4().hex[:8]}"
    await admin.create_topics([NewTopic(name, 3, 1)])
    return name


async def test_missing_topics_are_created_as_planned_and_a_second_time_nothing_happens(admin, topics):
    plans = topic_plans(topics, RECORD_BYTES, partitions=3)
    names = [plan.name for plan in plans]

    assert [state.state for state in await inspect_topics(admin, plans)] == ["missing"] * 5
    assert [(name, "created") for name in names] == [
        (state.name, state.state) for state in await create_topics(admin, plans)
    ]
    assert [(name, "present", ()) for name in names] == [
        (state.name, state.state, state.differences) for state in await create_topics(admin, plans)
    ]


async def test_a_topic_that_would_lose_or_refuse_records_is_reported_and_left_alone(admin, topics):
    existing = NewTopic(topics.verdicts, 1, 1, topic_configs={"max.message.bytes": "5000"})
    await admin.create_topics([existing])
    plans = topic_plans(topics, RECORD_BYTES, partitions=2)

    verdicts = {state.name: state for state in await create_topics(admin, plans)}[topics.verdicts]

    assert verdicts.state == "present"
    assert verdicts.differences == (
        "has 1 partitions, not 2",
        "cleanup.policy is delete, must be compact",
        "max.message.bytes is 5000, must be at least 1065536",
    )
    assert verdicts in await inspect_topics(admin, plans)


async def test_more_replicas_than_brokers_are_an_error_that_names_the_topic(admin, topics):
    assert await broker_count(admin) == 1
    with pytest.raises(ConfigurationError, match=topics.uploads):
        await create_topics(admin, topic_plans(topics, RECORD_BYTES, replication=3))


async def test_a_broker_that_is_not_there_is_reported_with_its_address():
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1", request_timeout_s=1)
    with pytest.raises(Transient, match=r"127\.0\.0\.1:1"):
        async with kafka_admin(nowhere):
            pytest.fail("connected to nothing")


async def test_every_record_is_read_byte_for_byte_and_then_reading_ends(settings, topic):
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers) as producer:
        for number in range(30):
            await producer.send(
                topic,
                key=b"k%d" % number,
                value=b"\xff\x00%d" % number,
                headers=[("h", b"\xfe")],
                timestamp_ms=number,
            )

    read = [arrival async for arrival in read_topic(settings, topic)]

    assert {b"k%d" % number for number in range(30)} == {arrival.message.key for arrival in read}
    for partition in range(3):
        offsets = [arrival.offset for arrival in read if arrival.partition.number == partition]
        assert list(range(len(offsets))) == offsets
    for message in (arrival.message for arrival in read):
        assert b"\xff\x00%d" % message.timestamp_ms == message.value
        assert message.headers == (("h", b"\xfe"),)


async def test_a_partition_that_ends_in_no_record_is_read_to_its_end(settings, topic):
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, transactional_id=topic)
    async with producer:
        for number in range(3):
            async with producer.transaction():
                await producer.send_and_wait(topic, b"%d" % number, partition=0)

    read = [arrival async for arrival in read_topic(settings, topic)]

    # The end offset is 6: a commit marker stands behind each record.
    assert [(arrival.offset, arrival.message.value) for arrival in read] == [(0, b"0"), (2, b"1"), (4, b"2")]


async def test_an_empty_topic_is_read_to_its_end(settings, topic):
    assert [arrival async for arrival in read_topic(settings, topic)] == []


async def test_following_goes_on_after_the_end(settings, topic):
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"first")
        async with aclosing(read_topic(settings, topic, follow=True)) as records:
            assert (await anext(records)).message.value == b"first"
            await producer.send_and_wait(topic, b"second")
            assert (await anext(records)).message.value == b"second"


async def test_a_topic_that_does_not_exist_is_an_error_and_is_not_created(settings, admin):
    name = f"nowhere-{uuid.uuid4().hex[:8]}"
    with pytest.raises(ConfigurationError, match=f"{name} does not exist.*topics create"):
        await anext(read_topic(settings, name))
    assert name not in await admin.list_topics()
