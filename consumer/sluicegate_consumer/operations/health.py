"""What a service says of itself, and what becomes of one whose event loop no longer says anything."""

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


class State(StrEnum):
    """Of a service."""

    STARTING = "starting"
    """The model is loading, the group not joined yet."""
    READY = "ready"
    DRAINING = "draining"
    """It finishes what is in flight, and takes nothing more."""
    STUCK = "stuck"
    """Its event loop has not turned for too long: it is about to be ended, to be started again."""


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

    @property
    def state(self) -> State:
        """As it is now."""
        return State.STUCK if self.silent_s > self._stall_s else self._phase

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


@contextmanager
def watched(stall_s: float, late: Callable[[float], None] = lambda _: None) -> Iterator[Health]:
    """A health that beats with the running event loop, and ends the process when the loop stops turning.

    It ends with code 1 within `stall_s` and a second, after writing every thread's stack to standard error: a thread
    does this, since a stuck loop can do nothing about itself.

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
            if health.state is State.STUCK:
                os.write(sys.stderr.fileno(), b"the event loop is stuck: ended, to be started again\n")
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
