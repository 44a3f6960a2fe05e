"""A model on one CUDA device as recorded graphs: nothing of Python between its kernels. Import where torch is."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sluicegate_consumer.models.static_batches import sizes_up_to

WARM_UPS = 3
"""Runs before one is recorded, as PyTorch's own documentation of CUDA graphs advises."""

Forward = Callable[[Tensor], Tensor]
"""From frames, uint8 of shape (size, height, width, 3) on the device, to float32 outputs of shape (size, labels)."""


class CudaGraphs:
    """A `Runner` of places that take turns: one is computed while the frames of the next are copied beside it.

    Args:
        forward: The model, its normalisation included.
        device: One CUDA device.
        places: Batches that may be on it at the same time.
        shape: Of the largest batch's frames: (max_batch, height, width, 3).
    """

    def __init__(self, forward: Forward, device: torch.device, places: int, shape: tuple[int, int, int, int]) -> None:
        self._computing = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._launching = threading.Lock()
        self._pool = torch.cuda.graph_pool_handle()
        self._places = [_Place(device, shape) for _ in range(places)]
        for size in reversed(sizes_up_to(shape[0])):  # the largest first, so that the others fit into its memory
            for place in self._places:
                place.record(forward, size, self._computing, self._pool)

    def pixels(self, place: int) -> NDArray[np.uint8]:
        """Pinned memory; see `Runner`."""
        return self._places[place].host.numpy()

    def launch(self, place: int, size: int) -> None:
        """Copy beside, compute in turn; see `Runner`."""
        with self._launching:  # what one batch puts on the computing stream must stay together
            self._places[place].launch(size, self._computing)

    def outputs(self, place: int, size: int) -> NDArray[np.float32]:
        """Wait for one place alone; see `Runner`."""
        return self._places[place].outputs(size)


class _Place:
    """Memory, graphs and events of one batch."""

    def __init__(self, device: torch.device, shape: tuple[int, int, int, int]) -> None:
        self.host = torch.zeros(shape, dtype=torch.uint8, pin_memory=True)
        self._frames = torch.zeros(shape, dtype=torch.uint8, device=device)
        self._copying = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._computed = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._results: dict[int, tuple[Tensor, Tensor]] = {}
        """On the device and, pinned, on the host."""

    def record(self, forward: Forward, size: int, computing: torch.cuda.Stream, pool: Any) -> None:
        frames = self._frames[:size]
        computing.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(computing):
            for _ in range(WARM_UPS):
                forward(frames)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        # One pool for all graphs: they never run at the same time. Results are kept, so no other graph reuses theirs.
        with torch.cuda.graph(graph, pool=pool, stream=computing):
            results = forward(frames)
        self._graphs[size] = graph
        self._results[size] = results, torch.empty_like(results, device="cpu", pin_memory=True)

    def launch(self, size: int, computing: torch.cuda.Stream) -> None:
        with torch.cuda.stream(self._copying):
            self._frames[:size].copy_(self.host[:size], non_blocking=True)
            self._copied.record()
        results, kept = self._results[size]
        with torch.cuda.stream(computing):
            computing.wait_event(self._copied)
            self._graphs[size].replay()
            kept.copy_(results, non_blocking=True)
            self._computed.record()

    def outputs(self, size: int) -> NDArray[np.float32]:
        self._computed.synchronize()
        _, kept = self._results[size]
        return kept.numpy().copy()
