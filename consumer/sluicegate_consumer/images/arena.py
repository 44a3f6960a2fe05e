"""Memory for decoded frames, shared with the processes that write them."""

import asyncio
import fcntl
import mmap
import os
from collections import deque
from collections.abc import Sequence
from typing import Self

import numpy as np

from sluicegate_consumer.pixels import Frame, Geometry


class FrameArena:
    """A fixed number of slots of one frame each, in an anonymous file that ends with its last user.

    Slots are touched when they are first used, so a generous number costs nothing until it is needed.
    """

    def __init__(self, geometry: Geometry, slots: int) -> None:
        size = geometry.height * geometry.width * 3
        self.handle = os.memfd_create("sluicegate-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.handle, slots * size)
        # A decoder that was taken over by an image must not be able to cut off memory that is read here.
        fcntl.fcntl(self.handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        self._frames = map_frames(self.handle, geometry, slots)
        self._free = deque(range(slots))
        self._given = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)

    async def take(self, count: int) -> list[int]:
        """So many slots; waits while there are not enough."""
        while len(self._free) < count:
            self._given.clear()
            await self._given.wait()
        return [self._free.popleft() for _ in range(count)]

    def give(self, slots: Sequence[int]) -> None:
        """Return slots that nobody reads or writes any longer."""
        self._free.extend(slots)
        self._given.set()

    def view(self, slot: int) -> Frame:
        """The frame in a slot, without a copy."""
        frame: Frame = self._frames[slot]
        return frame

    @property
    def free(self) -> int:
        """Slots that could be taken."""
        return len(self._free)


def map_frames(handle: int, geometry: Geometry, slots: int) -> Frame:
    """The arena as one array of shape (slots, height, width, 3)."""
    shape = (slots, geometry.height, geometry.width, 3)
    memory = mmap.mmap(handle, int(np.prod(shape)))
    return np.frombuffer(memory, dtype=np.uint8).reshape(shape)
