"""Batches of a few fixed sizes on a device that is fast with those alone. Knows nothing of the device itself."""

from collections.abc import Sequence
from queue import SimpleQueue
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.models.scores import score_in_chunks
from sluicegate_consumer.pixels import Frame

SIZES = (1, 8, 32, 128, 256)
"""A small batch is not to pay for a large one, and each size costs memory and seconds at the start."""


def sizes_up_to(max_batch: int) -> tuple[int, ...]:
    """The sizes that are prepared where no batch is larger than `max_batch`, which is the last of them."""
    return (*(size for size in SIZES if size < max_batch), max_batch)


class Runner(Protocol):
    """A device with places for batches, each with memory of its own on both sides."""

    def pixels(self, place: int) -> NDArray[np.uint8]:
        """Memory of the host for the frames of one batch, shape (max_batch, height, width, 3); it stays the same."""

    def launch(self, place: int, size: int) -> None:
        """Start computing the first `size` frames of a place, without waiting. Called from several threads."""

    def outputs(self, place: int, size: int) -> NDArray[np.float32]:
        """Wait for what was launched: shape (size, labels), the caller's own."""


class StaticBatches:
    """Any number of frames, in batches of prepared sizes. May be called from as many threads as there are places.

    While one place is computed the frames of another are copied. What pads a batch is whatever its place held before:
    the outputs for it are dropped, and a frame's outputs do not depend on its neighbours.
    """

    def __init__(self, runner: Runner, places: int, max_batch: int) -> None:
        self._runner = runner
        self._sizes = sizes_up_to(max_batch)
        self._free: SimpleQueue[int] = SimpleQueue()
        for place in range(places):
            self._free.put(place)

    def outputs(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """The model's outputs, shape (frames, labels), in the order of the frames."""
        return score_in_chunks(frames, self._sizes[-1], self._batch)

    def _batch(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        size = next(size for size in self._sizes if size >= len(frames))
        place = self._free.get()
        try:
            np.stack(frames, out=self._runner.pixels(place)[: len(frames)])
            self._runner.launch(place, size)
            return self._runner.outputs(place, size)[: len(frames)]
        finally:
            self._free.put(place)
