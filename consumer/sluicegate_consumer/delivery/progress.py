"""Telling a client that has stopped reading from one that has nothing to read. Pure: the clock is handed in."""

import time
from collections.abc import Callable

from sluicegate_consumer.errors import Fatal


class Progress:
    """Watches whether records come while they are asked for.

    Args:
        stall_s: Seconds without a record, though asked for and there, after which the client counts as stuck.
        clock: Seconds since any moment.
    """

    def __init__(self, stall_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._stall_s = stall_s
        self._clock = clock
        self._moved_at = clock()
        self._behind_since: float | None = None

    def moved(self) -> None:
        """Records came, or were not asked for: either way the client is not to blame for silence up to now."""
        self._moved_at = self._clock()
        self._behind_since = None

    @property
    def silent(self) -> bool:
        """Whether it is time to find out if there is anything to read."""
        return self._clock() - self._moved_at >= self._stall_s / 2

    def require(self, behind: int) -> None:
        """Judge, knowing how many records wait at the broker.

        Raises:
            Fatal: some have waited, and none has come, for the whole time.
        """
        now = self._clock()
        if behind == 0:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since >= self._stall_s / 2 and now - self._moved_at >= self._stall_s:
            raise Fatal(f"the Kafka client is stuck: no record in {now - self._moved_at:.0f} s, although {behind} wait")
