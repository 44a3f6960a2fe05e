"""The engine both services run in: at-least-once delivery, proved in one place.

Receive, hand to the stages, publish their outcomes, and commit an offset only when everything before it is acknowledged
by the broker. What this process did not finish is never committed, so somebody does it again; deterministic ids make
the copy recognisable.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import structlog

from sluicegate_consumer.delivery.dead_letters import DeadLetterWatch
from sluicegate_consumer.delivery.in_flight import InFlight
from sluicegate_consumer.delivery.measure import measure_regularly
from sluicegate_consumer.delivery.observer import DeliveryObserver
from sluicegate_consumer.delivery.progress import Progress
from sluicegate_consumer.delivery.sink import Sink, Unwritable
from sluicegate_consumer.delivery.source import Source
from sluicegate_consumer.delivery.stages import Stages
from sluicegate_consumer.delivery.starting import started
from sluicegate_consumer.delivery.tracker import Tracker
from sluicegate_consumer.delivery.values import Arrival, Delivered, Outcome, Partition, Ticket
from sluicegate_consumer.errors import ConfigurationError, Fatal, SluicegateError, Transient
from sluicegate_consumer.operations.health import Health
from sluicegate_consumer.operations.settings import DeliverySettings

POLL_S = 0.2
RETRY_S = 0.5
CLIENT_CHECK_S = 5.0

log = structlog.get_logger()


class Engine:
    """Runs stages between a source and a sink."""

    def __init__(
        self,
        source: Source,
        stages: Stages,
        sink: Sink,
        settings: DeliverySettings,
        *,
        revoke_timeout_s: float,
        observer: DeliveryObserver,
        health: Health,
    ) -> None:
        self._source = source
        self._stages = stages
        self._sink = sink
        self._settings = settings
        self._revoke_timeout_s = revoke_timeout_s
        self._observer = observer
        self._health = health
        self._progress = Progress(settings.stall_timeout_s)
        self._tracker = Tracker()
        self._in_flight = InFlight(stages.capacity, settings.max_in_flight_bytes)
        self._watch = DeadLetterWatch(settings.dead_letter_window, settings.dead_letter_max_share)
        self._inbox: asyncio.Queue[Delivered] = asyncio.Queue()
        self._outbox: asyncio.Queue[Outcome] = asyncio.Queue()
        self._committing = asyncio.Lock()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._blocked: set[Partition] = set()
        """Partitions with a record that cannot be written anywhere: they stand still, the others go on."""
        self._revoking = False
        self._halted = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in flight within the drain time, and commit.

        Where it is set before the start is over, the start is called off.

        Raises:
            Fatal: the process must end. What was in flight is not committed.
            ConfigurationError: it must, as Kafka does not let it in or refuses it a right.
        """
        if not await self._started(self._sink.start(), stop):
            return
        try:
            if await self._started(self._source.start(self._revoked), stop):
                try:
                    await self._work(stop)
                finally:
                    await self._source.stop()
        finally:
            await self._sink.stop()

    async def _started(self, starting: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
        """Nothing was taken before both edges are there, so that there is nothing to finish if it must end now."""
        if await started(starting, stop):
            return True
        self._health.draining()
        log.info("ended_before_it_had_started")
        return False

    async def _work(self, stop: asyncio.Event) -> None:
        jobs = (
            self._run_stages(),
            self._receive(stop),
            self._publish(),
            self._commit_regularly(),
            self._watch_acknowledgements(),
            self._watch_clients(),
            measure_regularly(self._source, self._tracker, self._in_flight, self._observer),
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._said_when_failed(job)) for job in jobs]
                self._health.ready()
                await stop.wait()
                self._health.draining()
                await self._drain()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as several:
            log.warning("left_undone", left=len(self._in_flight), uncommitted=self._tracker.uncommitted())
            raise _first(several) from several

    async def _said_when_failed(self, job: Coroutine[Any, Any, None]) -> None:
        """Ending takes others' cooperation; whoever watches the process must know that it is due."""
        try:
            await job
        except Exception:
            self._health.failed()
            raise

    async def _run_stages(self) -> NoReturn:
        await self._stages.run(self._inbox, self._outbox)
        raise Fatal("the stages ended by themselves")

    async def _receive(self, stop: asyncio.Event) -> None:
        """Ask for as many records as there is room for; not asking is what holds the others back."""
        while not stop.is_set():
            room = min(self._in_flight.room, self._settings.max_uncommitted - self._tracker.uncommitted(self._blocked))
            if room <= 0 or self._revoking or self._halted:
                self._progress.moved()
                await self._wait_for_change(POLL_S)
                continue
            try:
                arrivals = await self._source.receive(room, POLL_S, self._blocked)
            except Transient as error:
                log.warning("receive_failed", error=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            if arrivals:
                self._progress.moved()
            for arrival in arrivals:
                self._hand_over(arrival)
            self._observer.received(len(arrivals))
            self._observer.in_flight(len(self._in_flight))

    def _hand_over(self, arrival: Arrival) -> None:
        ticket = self._tracker.delivered(arrival.partition, arrival.offset)
        self._in_flight.enter(ticket, arrival.size)
        self._inbox.put_nowait(Delivered(ticket, arrival.message, time.perf_counter_ns()))

    async def _publish(self) -> NoReturn:
        while True:
            outcome = await self._outbox.get()
            self._in_flight.answered(outcome)
            if self._tracker.holds(outcome.ticket):
                await self._send(outcome)
            else:  # Somebody else has this partition now, and does this record again.
                self._in_flight.leave(outcome.ticket)

    async def _send(self, outcome: Outcome) -> None:
        self._in_flight.sent(outcome.ticket)
        began = time.monotonic()
        try:
            sent = [await self._sink.send(record) for record in outcome.records]
        except Unwritable as error:
            self._block(outcome.ticket, error)
            return
        # Most outcomes are one record, and need no future of their own.
        acknowledged = sent[0] if len(sent) == 1 else asyncio.gather(*sent)
        acknowledged.add_done_callback(partial(self._acknowledged, outcome, began))

    def _acknowledged(self, outcome: Outcome, began: float, sent: asyncio.Future[Any]) -> None:
        if sent.cancelled():
            return
        if (error := sent.exception()) is not None:
            self._observer.publish_failed()
            why = f"the broker did not take the outcome of {outcome.ticket}: {error!r}"
            self._fail(error if isinstance(error, ConfigurationError) else Fatal(why))
            return
        self._tracker.acknowledged(outcome.ticket)
        self._in_flight.leave(outcome.ticket)
        self._observer.acknowledged(outcome.dead_letter, time.monotonic() - began)
        self._watch.note(outcome)
        if self._watch.flooded and not self._halted:
            self._halt()

    def _block(self, ticket: Ticket, error: Unwritable) -> None:
        self._blocked.add(ticket.partition)
        self._in_flight.leave(ticket)
        self._observer.blocked(len(self._blocked))
        log.error("partition_blocked", partition=ticket.partition, offset=ticket.offset, error=str(error))

    def _halt(self) -> None:
        self._halted = True
        self._observer.halted()
        log.error(
            "consumption_halted",
            why="too many dead letters: more likely this installation's fault than the platform's",
            window=self._settings.dead_letter_window,
            max_share=self._settings.dead_letter_max_share,
            mend="look at them with `sluicegate dead-letters list`, mend the cause, restart, then replay them",
        )

    def _fail(self, why: SluicegateError) -> None:
        if not self._failed.done():
            self._failed.set_exception(why)

    async def _watch_acknowledgements(self) -> NoReturn:
        """Raise what an acknowledgement brought, or its absence."""
        limit = self._settings.publish_timeout_s
        while True:
            await asyncio.wait({self._failed}, timeout=1.0)
            if self._failed.done():
                self._failed.result()
            oldest = self._in_flight.oldest_sent
            if oldest is not None and time.monotonic() - oldest > limit:
                raise Fatal(f"no acknowledgement from the broker for delivery.publish_timeout_s={limit}")

    async def _watch_clients(self) -> NoReturn:
        """Raise what no call of ours would ever notice: clients that no longer work, and say nothing."""
        while True:
            await asyncio.sleep(min(CLIENT_CHECK_S, self._settings.stall_timeout_s / 8))
            self._source.require_alive()
            self._sink.require_alive()
            if self._progress.silent:
                try:
                    behind = await self._source.behind()
                    self._progress.require(sum(behind[each] for each in behind.keys() - self._blocked))
                except Transient as error:
                    log.warning("broker_does_not_say_how_much_waits", error=str(error))

    async def _commit_regularly(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._settings.commit_interval_s)
            await self._commit()

    async def _commit(self, partitions: Collection[Partition] | None = None) -> None:
        async with self._committing:
            offsets = self._tracker.committable(partitions)
            if not offsets:
                return
            try:
                await self._source.commit(offsets)
            except Transient as error:
                # Nothing is lost by it: the records come again, to us or to the next owner.
                log.warning("commit_failed", error=str(error))
                self._observer.committed(accepted=False)
                return
            self._tracker.committed(offsets)
            self._observer.committed(accepted=True)

    async def _revoked(self, partitions: Collection[Partition]) -> None:
        """Finish and commit what can be finished in time; the rest belongs to the next owner."""
        self._revoking = True
        self._observer.revoked(len(partitions))
        try:
            await self._settle(partitions, self._revoke_timeout_s)
            await self._commit(partitions)
        finally:
            left = self._tracker.open(partitions)
            self._tracker.revoke(partitions)
            self._blocked.difference_update(partitions)
            self._observer.blocked(len(self._blocked))
            self._revoking = False
            if left:
                log.info("left_to_the_next_owner", records=left)

    async def _drain(self) -> None:
        log.info("draining", in_flight=len(self._in_flight), seconds=self._settings.drain_timeout_s)
        await self._settle(None, self._settings.drain_timeout_s)
        await self._commit()
        log.info("drained", left=len(self._in_flight), uncommitted=self._tracker.uncommitted())

    async def _settle(self, partitions: Collection[Partition] | None, seconds: float) -> None:
        """Wait until nothing of these partitions (None: of any) is open, or the time is over."""
        deadline = time.monotonic() + seconds
        while self._open(partitions) and (left := deadline - time.monotonic()) > 0:
            await self._wait_for_change(min(left, POLL_S))

    def _open(self, partitions: Collection[Partition] | None) -> int:
        if partitions is None:
            return len(self._in_flight)
        return self._tracker.open(partition for partition in partitions if partition not in self._blocked)

    async def _wait_for_change(self, seconds: float) -> None:
        self._in_flight.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._in_flight.changed.wait()


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of several failures; the others are beside it, in its cause."""
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
