"""A partition for which no broker speaks hides only itself: the lag and the stall watch of the others go on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from mock_kafka import MockKafka, mock_kafka
from sluicegate_consumer.delivery import kafka_backlog
from sluicegate_consumer.delivery.in_flight import InFlight
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.delivery.measure import measure_regularly
from sluicegate_consumer.delivery.tracker import Tracker
from sluicegate_consumer.delivery.values import Partition, Record
from sluicegate_consumer.errors import Transient
from sluicegate_consumer.operations.metrics import new_metrics
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.message import Message

pytestmark = pytest.mark.integration

FIRST, SECOND = Partition("uploads", 0), Partition("uploads", 1)
KEYS = 8
"""As many records: enough that each partition has some."""


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kafka_backlog, "ANSWER_TIMEOUT_S", 1.0)


@asynccontextmanager
async def reading() -> AsyncIterator[tuple[MockKafka, KafkaSource, Counter[Partition]]]:
    """A source of two partitions with records, and how many each has."""
    with mock_kafka() as broker:
        broker.create_topic("uploads", 2)
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, rebalance_timeout_s=3)
        sink, source = KafkaSink(kafka), KafkaSource(kafka, "uploads", "group")
        await sink.start()
        await asyncio.gather(
            *[await sink.send(Record("uploads", Message(b"%d" % number, b"x"))) for number in range(KEYS)]
        )
        await sink.stop()
        await source.start(nobody)
        left = Counter[Partition]()
        async with asyncio.timeout(30):
            while set(left) != {FIRST, SECOND}:
                left = Counter(await source.behind())
        assert KEYS == left.total()
        try:
            yield broker, source, left
        finally:
            await source.stop()


async def nobody(_: Collection[Partition]) -> None:
    """No interest."""


async def test_what_waits_in_the_others_is_known_and_the_silent_one_is_named_once():
    async with reading() as (broker, source, left):
        broker.take_leader("uploads", 1)
        with capture_logs() as logs:
            for _ in range(2):
                assert {FIRST: left[FIRST]} == await source.behind()
        said = [each for each in logs if each["log_level"] == "warning"]
        assert [("lag_unknown", [SECOND])] == [(each["event"], each["partitions"]) for each in said]

        broker.give_leader("uploads", 1)
        with capture_logs() as logs:
            async with asyncio.timeout(30):
                while SECOND not in await source.behind():
                    await asyncio.sleep(0.1)
        assert "lag_known_again" in [each["event"] for each in logs]


async def test_a_broker_that_speaks_for_none_of_them_is_transient():
    async with reading() as (broker, source, _):
        broker.take_leader("uploads", 0)
        broker.take_leader("uploads", 1)
        with pytest.raises(Transient, match=r"uploads\[0\].*uploads\[1\]"):
            await source.behind()


async def test_no_old_lag_is_shown_for_a_partition_that_has_lost_its_leader():
    async with reading() as (broker, source, left):
        metrics = new_metrics()

        def shown() -> dict[str, float]:
            families = {each.name: each for each in metrics.registry.collect()}
            return {sample.labels["partition"]: sample.value for sample in families["sluicegate_lag_records"].samples}

        measuring = asyncio.create_task(measure_regularly(source, Tracker(), InFlight(8, 1000), metrics, 0.05))
        async with asyncio.timeout(30):
            while shown() != {"0": left[FIRST], "1": left[SECOND]}:
                await asyncio.sleep(0.05)
            broker.take_leader("uploads", 1)
            while shown() != {"0": left[FIRST]}:
                await asyncio.sleep(0.05)
            broker.take_leader("uploads", 0)
            while shown():
                await asyncio.sleep(0.05)
        measuring.cancel()
