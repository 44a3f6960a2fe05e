"""Any model of ours on the CPU, run by OpenVINO. Import this where the extra `openvino` is installed."""

from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.openvino_graph import openvino, weight_count
from sluicegate_consumer.models.precision import Precision
from sluicegate_consumer.models.scores import probabilities, score_in_chunks
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.pixels import Frame

HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}

MOST_LANES = 2
"""Batches that are computed side by side, each on its share of the cores: one that shares a core with a decoder then
holds up only itself, where threads of one batch would wait for the slowest of them. Measured on two cores, decoding on
the same two: 8 % more images per second with the embedded model, of 6 million weights."""
LARGE = 50_000_000
"""Weights from which one batch at a time has all cores: each lane reads all of them once for each of its batches.
Measured with ViT-B/16, of 86 million: two lanes take 6 % more CPU for the same images per second, and at half load the
99th percentile is 378 ms instead of 314."""


class _Lane(NamedTuple):
    """What one call computes with."""

    request: Any
    """OpenVINO's."""
    pixels: NDArray[np.uint8]
    """Its input, of shape (max_batch, height, width, 3)."""


class OpenVinoClassifier:
    """A `Classifier` on the CPU, in float32 or bfloat16, that computes some batches side by side.

    Frames go in as they are, uint8, and are normalised inside the graph. Batches have the size that they have: nothing
    is padded, so nothing can depend on padding. What OpenVINO prepares for a size it keeps; the first batch of a size
    takes about as long again.

    Args:
        checkpoint: Of either runtime.
        graph: The same, see `openvino_graph`.
        precision: `float32` or `bfloat16`.
        max_batch: Frames of a batch; more are split.
        lanes: Batches side by side, each on its share of the cores; 0: as many as are fastest here.
    """

    def __init__(
        self, checkpoint: Checkpoint, graph: Any, *, precision: Precision, max_batch: int, lanes: int = 0
    ) -> None:
        geometry = checkpoint.spec.geometry
        lanes = lanes or (1 if weight_count(graph) >= LARGE else min(MOST_LANES, usable_cores()))
        self._card = checkpoint.card("cpu", "openvino", precision, lanes=lanes, side_by_side=lanes)
        self._gives_logits = checkpoint.spec.gives_logits
        self._max_batch = max_batch
        self._closed = False
        compiled = _compiled(graph, precision, lanes)
        shape = (max_batch, geometry.height, geometry.width, 3)
        self._free: SimpleQueue[_Lane] = SimpleQueue()
        for _ in range(lanes):
            self._free.put(_Lane(compiled.create_infer_request(), np.zeros(shape, np.uint8)))

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""
        return self._card

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        if self._closed:
            raise RuntimeError("the classifier is closed")
        return score_in_chunks(frames, self._max_batch, self._score)

    def close(self) -> None:
        """Give the weights' memory back, when the last call has ended; `classify` raises from now on."""
        self._closed = True
        self._free = SimpleQueue()

    def _score(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        lane = self._free.get()
        try:
            outputs = _run(lane, frames)
        finally:
            if not self._closed:
                self._free.put(lane)
        return probabilities(outputs, exclusive=self._card.exclusive) if self._gives_logits else outputs


def _run(lane: _Lane, frames: Sequence[Frame]) -> NDArray[np.float32]:
    pixels = lane.pixels[: len(frames)]
    np.stack(frames, out=pixels)
    lane.request.set_input_tensor(openvino.Tensor(pixels, shared_memory=True))
    lane.request.infer()
    outputs: NDArray[np.float32] = lane.request.get_output_tensor(0).data.copy()
    return outputs


def _compiled(graph: Any, precision: Precision, lanes: int) -> Any:
    options = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": lanes,
        "INFERENCE_NUM_THREADS": usable_cores(),
        # The cores are shared with the decoders: a thread that may not move waits for its own while another is free.
        "ENABLE_CPU_PINNING": False,
    }
    return openvino.Core().compile_model(graph, "CPU", options)
