"""Lag counts what is not read yet and what is in hand; while no broker answers, none is shown."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from sluicegate_consumer.delivery.in_flight import InFlight
from sluicegate_consumer.delivery.measure import measure_regularly
from sluicegate_consumer.delivery.memory import MemoryBroker, MemorySource
from sluicegate_consumer.delivery.tracker import Tracker
from sluicegate_consumer.delivery.values import Partition, Record
from sluicegate_consumer.errors import Transient
from sluicegate_schemas.message import Message

UPLOADS = Partition("uploads", 0)


class Observer:
    def __init__(self) -> None:
        self.lags: list[dict[Partition, int]] = []
        self.counts: list[int] = []
        self.ages: list[float] = []

    def in_flight(self, records: int) -> None:
        self.counts.append(records)

    def oldest_in_flight(self, seconds: float) -> None:
        self.ages.append(seconds)

    def lag(self, records: Iterable[tuple[Partition, int]]) -> None:
        self.lags.append(dict(records))


class SilentAtFirst(MemorySource):
    asked = 0

    async def behind(self) -> Mapping[Partition, int]:
        self.asked += 1
        if self.asked == 1:
            raise Transient("no answer")
        return await super().behind()


async def nobody(_: Collection[Partition]) -> None:
    """No interest."""


async def test_lag_is_what_is_unread_and_what_is_in_flight():
    broker, tracker, in_flight, observer = MemoryBroker(), Tracker(), InFlight(8, 1000), Observer()
    for _ in range(5):
        broker.append(Record("uploads", Message(b"id", b"value")))
    source = SilentAtFirst(broker, "uploads")
    await source.start(nobody)
    tickets = [tracker.delivered(UPLOADS, each.offset) for each in await source.receive(3, 0.1)]
    for ticket in tickets:
        in_flight.enter(ticket, 5)
    tracker.acknowledged(tickets[0])
    in_flight.leave(tickets[0])

    task = asyncio.create_task(measure_regularly(source, tracker, in_flight, observer, every_s=0.01))
    async with asyncio.timeout(5):
        while len(observer.lags) < 2:
            await asyncio.sleep(0.005)
    task.cancel()
    assert source.asked > 1
    assert [{}, {UPLOADS: 2 + 2}] == observer.lags[:2]
    assert {2} == set(observer.counts)
    assert observer.ages[-1] >= 0.01
