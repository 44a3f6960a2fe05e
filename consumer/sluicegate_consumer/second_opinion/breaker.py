"""Leaving a server alone that fails, and finding out when it is back. Pure: the clock is handed in."""

from collections.abc import Callable
from enum import Enum


class State(Enum):
    """Of a breaker."""

    CLOSED = "closed"
    """The server is asked."""
    OPEN = "open"
    """It is left alone."""
    HALF_OPEN = "half_open"
    """It is being probed; everything else leaves it alone."""


class Breaker:
    """Opens after some failures in a row; only a probe that succeeds closes it again.

    Args:
        failures: in a row, after which it opens.
        probe_s: seconds that an open breaker waits before each probe.
        clock: seconds since any moment, for example `time.monotonic`.
    """

    def __init__(self, failures: int, probe_s: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._probe_s = probe_s
        self._clock = clock
        self._failures = 0
        self._state = State.CLOSED
        self._opened_at = 0.0
        self._answers = 0

    @property
    def state(self) -> State:
        """As it is now."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether the server may be asked."""
        return self._state is State.CLOSED

    @property
    def answers(self) -> int:
        """How often the server has answered so far, probes included."""
        return self._answers

    def succeeded(self) -> None:
        """The server answered. What it was asked before the breaker opened does not close it."""
        self._failures = 0
        self._answers += 1

    def failed(self) -> None:
        """The server did not answer, or not as a server in order does."""
        self._failures += 1
        if self.closed and self._failures >= self._limit:
            self.trip()

    def trip(self) -> None:
        """Open at once: the server cannot be asked, whatever it said before."""
        self._state = State.OPEN
        self._opened_at = self._clock()

    def probe_in(self) -> float | None:
        """Seconds until the next probe is due, 0 if it is; None while closed or being probed."""
        if self._state is not State.OPEN:
            return None
        return max(0.0, self._opened_at + self._probe_s - self._clock())

    def begin_probe(self) -> None:
        """A probe is under way: it ends with `close` or `trip`."""
        self._state = State.HALF_OPEN

    def close(self) -> None:
        """The server may be asked."""
        self._state = State.CLOSED
        self._failures = 0
        self._answers += 1
