"""Gathers what is ready into batches, and lets a batch grow while nobody can take it."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class CloseReason(StrEnum):
    """Why a batch was closed."""

    SIZE = "size"
    """It was full."""
    FREE = "free"
    """The device was free, and the oldest item had waited long enough by then."""
    DEADLINE = "deadline"
    """The device was free all along, and the oldest item's wait ended."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What is to be computed together, oldest first."""

    items: tuple[T, ...]
    weight: int
    closed_by: CloseReason


class Batcher(Generic[T]):
    """What waits grows until the device is free for it.

    Takers come one for each batch that the device may hold: with two of them one computes and one waits behind it. A
    full batch is given at once. A smaller one is given when so few are out that the device would stand idle, in whole
    or in part, and its oldest item has waited long enough. So batches are large under load, and nobody waits when
    there is none.

    Args:
        max_weight: Of a full batch.
        max_wait_s: How long a first item waits for others while the device is free.
        side_by_side: Batches that keep all of the device busy.
        clock: In seconds.
    """

    def __init__(
        self,
        max_weight: int,
        max_wait_s: float,
        *,
        side_by_side: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_weight = max_weight
        self._max_wait_s = max_wait_s
        self._side_by_side = side_by_side
        self._clock = clock
        self._waiting: deque[tuple[T, int, float]] = deque()
        self._weight = 0
        self._out = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def waiting(self) -> int:
        """Items that are in no batch yet."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether a batch waits that cannot grow."""
        return self._weight >= self._max_weight

    async def put(self, item: T, weight: int = 1) -> None:
        """Add an item, waiting while a full batch waits already.

        An item heavier than a whole batch makes one of its own.
        """
        while not self._room.is_set():
            await self._room.wait()
        self._waiting.append((item, weight, self._clock()))
        self._weight += weight
        if self.full or (not self._busy and len(self._waiting) == 1):
            self._changed.set()  # no other item makes a batch, or a taker's wait shorter
        if self.full:
            self._room.clear()

    async def take(self) -> Batch[T]:
        """The next batch; waits until there is one. Whoever takes it calls `done` when it has been computed."""
        reason = CloseReason.FREE
        while (patience := self._patience()) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(None if patience == math.inf else patience):
                    await self._changed.wait()
                reason = CloseReason.FREE
            except TimeoutError:  # and looked at again: another taker may have been first
                reason = CloseReason.DEADLINE
        return self._close(reason)

    def done(self) -> None:
        """A batch that was taken is off the device."""
        self._out -= 1
        self._changed.set()

    @property
    def _busy(self) -> bool:
        return self._out >= self._side_by_side

    def _patience(self) -> float:
        """Seconds until the waiting items make a batch, if nothing else happens; 0 if they do now."""
        if self.full:
            return 0.0
        if self._busy or not self._waiting:
            return math.inf
        _, _, since = self._waiting[0]
        return max(0.0, since + self._max_wait_s - self._clock())

    def _close(self, unless_full: CloseReason) -> Batch[T]:
        closed_by = CloseReason.SIZE if self.full else unless_full
        items: list[T] = []
        weight = 0
        while self._waiting and (not items or weight + self._waiting[0][1] <= self._max_weight):
            item, item_weight, _ = self._waiting.popleft()
            items.append(item)
            weight += item_weight
        self._weight -= weight
        self._out += 1
        if not self.full:
            self._room.set()
        return Batch(tuple(items), weight, closed_by)
