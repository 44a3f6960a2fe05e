"""At-least-once, shown on in-memory edges; the same engine meets real brokers in the integration tests."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sluicegate_consumer.delivery.dead_letters import dead_letter
from sluicegate_consumer.delivery.engine import Engine
from sluicegate_consumer.delivery.memory import MemoryBroker, MemorySink, MemorySource
from sluicegate_consumer.delivery.source import Revoked
from sluicegate_consumer.delivery.values import Delivered, Outcome, Partition, Record, Ticket
from sluicegate_consumer.errors import ConfigurationError, Fatal, Poison
from sluicegate_consumer.operations.health import Health, State
from sluicegate_consumer.operations.settings import DeliverySettings
from sluicegate_schemas.message import Message

SETTINGS = DeliverySettings(commit_interval_s=0.01, drain_timeout_s=0.5, publish_timeout_s=60)


@dataclass
class Observer:
    """Keeps what the engine says."""

    halts: int = 0
    stuck: int = 0
    failures: int = 0
    refused: int = 0
    most_in_flight: int = 0
    oldest_s: float = 0
    lags: list[dict[Partition, int]] = field(default_factory=list)
    acknowledgements: Counter[str] = field(default_factory=Counter)
    taken_away: int = 0

    def received(self, records: int) -> None:
        """Not looked at."""

    def in_flight(self, records: int) -> None:
        self.most_in_flight = max(self.most_in_flight, records)

    def oldest_in_flight(self, seconds: float) -> None:
        self.oldest_s = max(self.oldest_s, seconds)

    def lag(self, records: Iterable[tuple[Partition, int]]) -> None:
        self.lags.append(dict(records))

    def revoked(self, partitions: int) -> None:
        self.taken_away += partitions

    def acknowledged(self, dead_letter: bool, seconds: float) -> None:
        assert seconds >= 0
        self.acknowledgements["dead letter" if dead_letter else "verdict"] += 1

    def publish_failed(self) -> None:
        self.failures += 1

    def committed(self, accepted: bool) -> None:
        self.refused += not accepted

    def blocked(self, partitions: int) -> None:
        self.stuck = partitions

    def halted(self) -> None:
        self.halts += 1


class Echo:
    """Stages that answer with a function of the record; can be told to hold their answers."""

    capacity = 8

    def __init__(self, answer: Callable[[Delivered], Outcome] | None = None) -> None:
        self.answer = answer or verdict
        self.holding = False
        self.held: list[Delivered] = []

    async def run(self, inbox: asyncio.Queue[Delivered], outbox: asyncio.Queue[Outcome]) -> None:
        self.outbox = outbox
        while True:
            self.held.append(await inbox.get())
            if not self.holding:
                self.release()

    def release(self) -> None:
        for delivered in self.held:
            self.outbox.put_nowait(self.answer(delivered))
        self.held.clear()


def verdict(delivered: Delivered) -> Outcome:
    return Outcome(delivered.ticket, (Record("verdicts", delivered.message),))


def burial(delivered: Delivered) -> Outcome:
    return dead_letter(delivered, topic="dead", stage="read", error=Poison("bad"))


@dataclass
class Running:
    broker: MemoryBroker
    source: MemorySource
    sink: MemorySink
    observer: Observer
    stop: asyncio.Event
    task: asyncio.Task[None]
    health: Health

    def upload(self, count: int) -> None:
        for number in range(count):
            self.broker.append(Record("uploads", Message(b"id", b"%d" % number)))

    def verdicts(self) -> list[bytes | None]:
        return [message.value for message in self.broker.topics.get("verdicts", [])]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.002)


@asynccontextmanager
async def running(stages: Echo, settings: DeliverySettings = SETTINGS) -> AsyncIterator[Running]:
    broker = MemoryBroker()
    source, sink, observer, stop = MemorySource(broker, "uploads"), MemorySink(broker), Observer(), asyncio.Event()
    health = Health(60)
    engine = Engine(source, stages, sink, settings, revoke_timeout_s=0.1, observer=observer, health=health)
    task = asyncio.create_task(engine.run(stop))
    try:
        yield Running(broker, source, sink, observer, stop, task, health)
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=5)
        task.cancel()


async def test_every_record_is_published_and_then_committed():
    async with running(Echo()) as service:
        service.upload(20)
        await service.until(lambda: service.broker.committed("uploads") == 20)
        assert [b"%d" % number for number in range(20)] == service.verdicts()
        assert {"verdict": 20} == service.observer.acknowledgements


async def test_nothing_is_committed_before_the_broker_acknowledges():
    async with running(Echo()) as service:
        service.sink.holding = True
        service.upload(3)
        await service.until(lambda: len(service.sink.held) == 3)
        await asyncio.sleep(0.05)
        assert [] == service.broker.commits
        service.sink.release()
        await service.until(lambda: service.broker.committed("uploads") == 3)


async def test_no_more_is_taken_than_there_is_capacity_for():
    stages = Echo()
    async with running(stages) as service:
        stages.holding = True
        service.upload(50)
        await service.until(lambda: len(stages.held) == stages.capacity)
        await asyncio.sleep(0.02)
        assert stages.capacity == len(stages.held)
        stages.holding = False
        stages.release()
        await service.until(lambda: service.broker.committed("uploads") == 50)
        assert stages.capacity == service.observer.most_in_flight


async def test_records_in_flight_are_bounded_in_bytes_too():
    stages = Echo()
    async with running(stages, SETTINGS.model_copy(update={"max_in_flight_bytes": 8})) as service:
        stages.holding = True
        service.broker.append(Record("uploads", Message(b"id", b"a large one")))
        await service.until(lambda: len(stages.held) == 1)
        service.upload(3)
        await asyncio.sleep(0.02)
        assert 1 == len(stages.held)
        stages.holding = False
        stages.release()
        await service.until(lambda: service.broker.committed("uploads") == 4)


async def test_no_more_is_taken_behind_one_that_is_stuck_than_may_be_done_over():
    stages = Echo()
    async with running(stages, SETTINGS.model_copy(update={"max_uncommitted": 20})) as service:
        stages.holding = True
        service.upload(1)
        await service.until(lambda: len(stages.held) == 1)
        stuck = stages.held.pop()
        stages.holding = False
        service.upload(50)
        await service.until(lambda: len(service.verdicts()) == 19)
        await asyncio.sleep(0.05)
        assert (19, 0) == (len(service.verdicts()), service.broker.committed("uploads"))
        stages.outbox.put_nowait(verdict(stuck))
        await service.until(lambda: service.broker.committed("uploads") == 51)


async def test_a_stop_finishes_and_commits_what_is_in_flight():
    stages = Echo()
    async with running(stages) as service:
        stages.holding = True
        service.upload(5)
        await service.until(lambda: len(stages.held) == 5)
        service.stop.set()
        await asyncio.sleep(0.02)
        stages.release()
        await service.task
        assert 5 == service.broker.committed("uploads")


async def test_a_stop_leaves_behind_what_does_not_finish_in_time():
    stages = Echo()
    async with running(stages, SETTINGS.model_copy(update={"drain_timeout_s": 0.05})) as service:
        stages.holding = True
        service.upload(2)
        await service.until(lambda: len(stages.held) == 2)
        service.stop.set()
        await service.task
        assert (0, []) == (service.broker.committed("uploads"), service.verdicts())


class NeverJoins(MemorySource):
    left = False

    async def start(self, revoked: Revoked) -> None:  # noqa: ARG002
        try:
            await asyncio.Event().wait()
        finally:
            self.left = True


async def test_a_stop_before_the_group_is_joined_calls_the_start_off_and_is_no_failure():
    broker, stop, health = MemoryBroker(), asyncio.Event(), Health(60)
    source, sink = NeverJoins(broker, "uploads"), MemorySink(broker)
    engine = Engine(source, Echo(), sink, SETTINGS, revoke_timeout_s=0.1, observer=Observer(), health=health)
    task = asyncio.create_task(engine.run(stop))
    await asyncio.sleep(0.02)
    assert (False, State.STARTING) == (task.done(), health.state)
    stop.set()
    async with asyncio.timeout(5):
        await task
    assert (True, State.DRAINING) == (source.left, health.state)


async def test_an_answer_from_before_a_rebalance_is_dropped_and_the_record_done_again():
    stages = Echo()
    async with running(stages) as service:
        stages.holding = True
        service.upload(1)
        await service.until(lambda: len(stages.held) == 1)
        await service.source.rebalance()
        await service.until(lambda: len(stages.held) == 2)
        assert 1 == service.observer.taken_away
        stages.release()
        await service.until(lambda: service.broker.committed("uploads") == 1)
        assert [b"0"] == service.verdicts()


async def test_a_revocation_waits_for_what_is_in_flight_and_commits_it():
    stages = Echo()
    async with running(stages, SETTINGS.model_copy(update={"commit_interval_s": 60})) as service:
        stages.holding = True
        service.upload(2)
        await service.until(lambda: len(stages.held) == 2)
        revoking = asyncio.create_task(service.source.rebalance())
        await asyncio.sleep(0.01)
        stages.release()
        await revoking
        assert 2 == service.broker.committed("uploads")


async def test_a_refused_commit_is_tried_again():
    async with running(Echo()) as service:
        service.broker.refuse_commits = True
        service.upload(1)
        await service.until(lambda: service.observer.refused > 0)
        service.broker.refuse_commits = False
        await service.until(lambda: service.broker.committed("uploads") == 1)


async def test_a_failed_acknowledgement_ends_the_service_without_a_commit():
    async with running(Echo()) as service:
        service.sink.holding = True
        service.upload(1)
        await service.until(lambda: len(service.sink.held) == 1)
        service.sink.held.pop()[1].set_exception(OSError("gone"))
        with pytest.raises(Fatal, match="did not take the outcome"):
            await service.task
        assert (1, []) == (service.observer.failures, service.broker.commits)


async def test_a_right_that_the_broker_refuses_ends_the_service_as_what_it_is():
    async with running(Echo()) as service:
        service.sink.holding = True
        service.upload(1)
        await service.until(lambda: len(service.sink.held) == 1)
        service.sink.held.pop()[1].set_exception(ConfigurationError("User:consume may not Write topic verdicts"))
        with pytest.raises(ConfigurationError, match=r"^User:consume may not Write"):
            await service.task
        assert [] == service.broker.commits


async def test_an_absent_acknowledgement_ends_the_service():
    async with running(Echo(), SETTINGS.model_copy(update={"publish_timeout_s": 0.01})) as service:
        service.sink.holding = True
        service.upload(1)
        with pytest.raises(Fatal, match=r"publish_timeout_s=0\.01"):
            await asyncio.wait_for(service.task, 5)
        assert [] == service.broker.commits


async def test_stages_that_fail_end_the_service_without_a_commit():
    def fail(_: Delivered) -> Outcome:
        raise KeyError("a bug")

    async with running(Echo(fail)) as service:
        service.upload(1)
        with pytest.raises(KeyError, match="a bug"):
            await service.task
        assert ([], State.STUCK) == (service.broker.commits, service.health.state)


async def test_two_outcomes_for_one_delivery_end_the_service():
    stages = Echo()
    async with running(stages) as service:
        stages.holding = True
        service.upload(1)
        await service.until(lambda: len(stages.held) == 1)
        stages.held *= 2
        stages.release()
        with pytest.raises(RuntimeError, match="nobody is owed"):
            await service.task


async def test_a_record_that_cannot_be_written_blocks_its_partition_and_loses_nothing():
    def too_large(delivered: Delivered) -> Outcome:
        value = b"x" * 2_000_000 if delivered.message.value == b"1" else b"fine"
        return Outcome(delivered.ticket, (Record("verdicts", Message(b"id", value)),))

    async with running(Echo(too_large)) as service:
        service.upload(3)
        await service.until(lambda: service.observer.stuck == 1)
        await service.until(lambda: service.broker.committed("uploads") == 1)
        await asyncio.sleep(0.05)
        assert 1 == service.broker.committed("uploads")


async def test_a_flood_of_dead_letters_halts_consumption_and_drops_nothing():
    settings = SETTINGS.model_copy(update={"dead_letter_window": 8, "dead_letter_max_share": 0.5})
    async with running(Echo(burial), settings) as service:
        service.upload(100)
        await service.until(lambda: service.observer.halts == 1)
        await asyncio.sleep(0.05)
        buried = len(service.broker.topics["dead"])
        assert {"dead letter": buried} == service.observer.acknowledgements
        assert 5 <= buried <= 5 + Echo.capacity
        assert buried == service.broker.committed("uploads")


def test_an_outcome_without_records_cannot_be_made():
    with pytest.raises(ValueError, match=r"would lose uploads\[0\] offset 1"):
        Outcome(Ticket(Partition("uploads", 0), 1, 0), ())
