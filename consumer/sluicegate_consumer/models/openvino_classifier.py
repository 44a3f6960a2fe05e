"""Any model of ours on the CPU, run by OpenVINO. Import this where the extra `openvino` is installed."""

import sys
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.precision import Precision
from sluicegate_consumer.models.scores import probabilities, score_in_chunks
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.pixels import Frame

# OpenVINO reports each conversion of a model to Google unless its package for that cannot be imported.
# None is how Python forbids an import.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402 - must come after the line above
from openvino.preprocess import PrePostProcessor  # noqa: E402 - same

HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}

MOST_LANES = 2
"""Batches that are computed side by side, each on its share of the cores: one that shares a core with a decoder then
holds up only itself, where threads of one batch would wait for the slowest of them. Measured on two cores, decoding on
the same two: 8 % more images per second with the embedded model, 2 % more with ViT-B/16."""


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
        checkpoint: Of either runtime; for one of transformers the extra `torch` must be installed as well.
        precision: `float32` or `bfloat16`.
        max_batch: Frames of a batch; more are split.
        lanes: Batches side by side, each on its share of the cores; 0: as many as are fastest here.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: Precision, max_batch: int, lanes: int = 0) -> None:
        geometry = checkpoint.spec.geometry
        lanes = lanes or min(MOST_LANES, usable_cores())
        self._card = checkpoint.card("cpu", "openvino", precision, lanes=lanes, side_by_side=lanes)
        self._gives_logits = checkpoint.spec.gives_logits
        self._max_batch = max_batch
        self._closed = False
        compiled = _compiled(checkpoint, precision, lanes)
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


def _compiled(checkpoint: Checkpoint, precision: Precision, lanes: int) -> Any:
    core = openvino.Core()
    model = _normalising(
        core.read_model(checkpoint.weights) if _is_onnx(checkpoint) else _converted(checkpoint), checkpoint
    )
    options = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": lanes,
        "INFERENCE_NUM_THREADS": usable_cores(),
        # The cores are shared with the decoders: a thread that may not move waits for its own while another is free.
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(model, "CPU", options)


def _is_onnx(checkpoint: Checkpoint) -> bool:
    return checkpoint.runtime == "onnxruntime"


def _converted(checkpoint: Checkpoint) -> Any:
    """A checkpoint of transformers, traced by torch and converted."""
    from sluicegate_consumer.models.torch_trace import traced  # noqa: PLC0415 - an extra

    geometry = checkpoint.spec.geometry
    shape = [-1, 3, geometry.height, geometry.width]
    return openvino.convert_model(traced(checkpoint), input=[(shape, np.float32)])


def _normalising(model: Any, checkpoint: Checkpoint) -> Any:
    """The model with frames as its input: uint8, (any, height, width, 3)."""
    steps, normalisation = PrePostProcessor(model), checkpoint.spec.normalisation
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    factor = normalisation.rescale_factor
    (
        steps.input()
        .preprocess()
        .convert_element_type(openvino.Type.f32)
        .mean([mean / factor for mean in normalisation.mean])
        .scale([std / factor for std in normalisation.std])
    )
    return steps.build()
