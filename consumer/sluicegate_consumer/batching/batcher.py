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
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What is to be computed together, oldest first."""

    items: tuple[T, ...]
    weight: int
    closed_by: CloseReason


class Batcher(Generic[T]):
    """One batch waits at most, behind the one being computed.

    `take` is called when the device is free, and closes a batch when it is full or its oldest item has waited long
    enough. While the device is busy nobody calls it, so a batch past its deadline keeps filling: that is what makes
    batches large under load without making anybody wait when there is none.
    """

    def __init__(self, max_weight: int, max_wait_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_weight = max_weight
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._waiting: deque[tuple[T, int, float]] = deque()
        self._weight = 0
        self._grown = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def waiting(self) -> int:
        """Items that are in no batch yet."""
        return len(self._waiting)

    async def put(self, item: T, weight: int = 1) -> None:
        """Add an item, waiting while a full batch waits already.

        An item heavier than a whole batch makes one of its own.
        """
        while not self._room.is_set():
            await self._room.wait()
        self._waiting.append((item, weight, self._clock()))
        self._weight += weight
        self._grown.set()
        if self._weight >= self._max_weight:
            self._room.clear()

    async def take(self) -> Batch[T]:
        """The next batch; waits until there is one. For one taker at a time."""
        while (patience := self._patience()) > 0:
            self._grown.clear()
            try:
                async with asyncio.timeout(None if patience == math.inf else patience):
                    await self._grown.wait()
            except TimeoutError:
                break
        return self._close()

    def _patience(self) -> float:
        """Seconds until the waiting items make a batch; 0 if they do now."""
        if not self._waiting:
            return math.inf
        if self._weight >= self._max_weight:
            return 0.0
        _, _, since = self._waiting[0]
        return max(0.0, since + self._max_wait_s - self._clock())

    def _close(self) -> Batch[T]:
        closed_by = CloseReason.SIZE if self._weight >= self._max_weight else CloseReason.DEADLINE
        items: list[T] = []
        weight = 0
        while self._waiting and (not items or weight + self._waiting[0][1] <= self._max_weight):
            item, item_weight, _ = self._waiting.popleft()
            items.append(item)
            weight += item_weight
        self._weight -= weight
        if self._weight < self._max_weight:
            self._room.set()
        return Batch(tuple(items), weight, closed_by)
