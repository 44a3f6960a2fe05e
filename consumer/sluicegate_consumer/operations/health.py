"""What a service says of itself, and what becomes of one that says nothing any more, or fails and does not end."""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

BEAT_S = 0.5
STUCK_EXIT_CODE = 1
ENDING_S = 20.0
"""What a service that has failed may take to let go of Kafka, of its processes and of its threads."""


class State(StrEnum):
    """Of a service."""

    STARTING = "starting"
    """The model is loading, the group not joined yet."""
    READY = "ready"
    DRAINING = "draining"
    """It finishes what is in flight, and takes nothing more."""
    STUCK = "stuck"
    """It has failed, or its event loop has not turned for too long: it is about to end, to be started again."""


class Health:
    """Written by the event loop, read by other threads.

    Args:
        stall_s: Seconds without a beat after which the loop counts as stuck.
        clock: Seconds since any moment.
    """

    def __init__(self, stall_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._stall_s = stall_s
        self._clock = clock
        self._phase = State.STARTING
        self._beat_at = clock()
        self._failed_at: float | None = None

    @property
    def state(self) -> State:
        """As it is now."""
        stuck = self._failed_at is not None or self.silent_s > self._stall_s
        return State.STUCK if stuck else self._phase

    @property
    def overdue(self) -> bool:
        """Whether it is stuck and, where it has failed, has had the time to end by itself."""
        failed_at = self._failed_at
        return self.state is State.STUCK and (failed_at is None or self._clock() - failed_at > ENDING_S)

    @property
    def silent_s(self) -> float:
        """Seconds since the event loop last turned."""
        return self._clock() - self._beat_at

    def beat(self) -> None:
        """The event loop turns."""
        self._beat_at = self._clock()

    def ready(self) -> None:
        """Records are being taken."""
        self._phase = State.READY

    def draining(self) -> None:
        """No more records are taken."""
        self._phase = State.DRAINING

    def failed(self) -> None:
        """It cannot go on, and will end."""
        if self._failed_at is None:
            self._failed_at = self._clock()


@contextmanager
def watched(stall_s: float, late: Callable[[float], None] = lambda _: None) -> Iterator[Health]:
    """A health that beats with the running event loop, and ends the process when the loop stops turning.

    It ends with code 1 within `stall_s` and two seconds, or `ENDING_S` and two seconds after a failure, and writes
    every thread's stack to standard error before: a thread does this, since a stuck loop can do nothing about itself.
    A process that was only frozen for so long goes on.

    Args:
        stall_s: Seconds without a beat after which the loop counts as stuck.
        late: Told with every beat by how many seconds it came late.
    """
    health = Health(stall_s)
    over = threading.Event()
    loop = asyncio.get_running_loop()

    def beat() -> None:
        late(max(0.0, loop.time() - next_beat[0].when()))
        health.beat()
        next_beat[0] = loop.call_later(BEAT_S, beat)

    def watch() -> None:
        while not over.wait(BEAT_S):
            # Twice: who has just been thawed sees an old beat, and has had no time for a new one.
            if health.overdue and not over.wait(2 * BEAT_S) and health.overdue:
                os.write(sys.stderr.fileno(), b"the service is stuck: ended, to be started again\n")
                faulthandler.dump_traceback(sys.stderr.fileno())
                os._exit(STUCK_EXIT_CODE)

    next_beat = [loop.call_later(BEAT_S, beat)]
    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield health
    finally:
        over.set()
        next_beat[0].cancel()
        thread.join()
