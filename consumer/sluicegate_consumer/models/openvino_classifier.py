"""Any model of ours on the CPU, run by OpenVINO. Import this where the extra `openvino` is installed."""

import sys
from collections.abc import Sequence
from typing import Any

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


class OpenVinoClassifier:
    """A `Classifier` on the CPU, in float32 or bfloat16.

    Frames go in as they are, uint8, and are normalised inside the graph. Batches have the size that they have: nothing
    is padded, so nothing can depend on padding. What OpenVINO prepares for a size it keeps; the first batch of a size
    takes about as long again.

    Args:
        checkpoint: Of either runtime; for one of transformers the extra `torch` must be installed as well.
        precision: `float32` or `bfloat16`.
        max_batch: Frames that are computed at once; more are split.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: Precision, max_batch: int) -> None:
        geometry = checkpoint.spec.geometry
        self._card = checkpoint.card("cpu", "openvino", precision)
        self._gives_logits = checkpoint.spec.gives_logits
        self._shape = (geometry.height, geometry.width, 3)
        self._pixels = np.zeros((max_batch, *self._shape), np.uint8)
        self._request: Any | None = _compiled(checkpoint, precision).create_infer_request()

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""
        return self._card

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        return score_in_chunks(frames, len(self._pixels), self._score)

    def close(self) -> None:
        """Give the weights' memory back; `classify` raises from now on."""
        self._request = None

    def _score(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        np.stack(frames, out=self._pixels[: len(frames)])
        outputs = self._run(len(frames))
        return probabilities(outputs, exclusive=self._card.exclusive) if self._gives_logits else outputs

    def _run(self, size: int) -> NDArray[np.float32]:
        if self._request is None:
            raise RuntimeError("the classifier is closed")
        self._request.set_input_tensor(openvino.Tensor(self._pixels[:size], shared_memory=True))
        self._request.infer()
        outputs: NDArray[np.float32] = self._request.get_output_tensor(0).data.copy()
        return outputs


def _compiled(checkpoint: Checkpoint, precision: Precision) -> Any:
    core = openvino.Core()
    model = _normalising(
        core.read_model(checkpoint.weights) if _is_onnx(checkpoint) else _converted(checkpoint), checkpoint
    )
    options = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
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
