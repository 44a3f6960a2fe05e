"""A model in an ONNX file, run by ONNX Runtime. Import this where onnxruntime is installed."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.device import choose_device
from sluicegate_consumer.models.scores import probabilities, score_in_chunks
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.pixels import Frame

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
ERRORS = 3
"""ONNX Runtime's severity below which it writes nothing."""


class OnnxClassifier:
    """A `Classifier` in float32 on the CPU, or on one CUDA device where onnxruntime is a build that can.

    The file has one input, float32 of shape (any, 3, height, width), and its first output has the shape
    (any, labels).

    Args:
        checkpoint: The file, and what to feed it.
        device: The setting `model.device`.
        max_batch: Frames that go to the device at once; more are split.

    Raises:
        ConfigurationError: the device is not there, or the file has other inputs.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str, max_batch: int) -> None:
        session, on = _open(checkpoint, device)
        geometry, normalisation = checkpoint.spec.geometry, checkpoint.spec.normalisation
        self._session: Any | None = session
        self._card = checkpoint.card(on, "onnxruntime", "float32")
        self._gives_logits = checkpoint.spec.gives_logits
        self._input = _only_input(session, checkpoint)
        self._values = np.empty((max_batch, 3, geometry.height, geometry.width), np.float32)
        self._scale, self._shift = (
            np.array(channels, np.float32).reshape(3, 1, 1) for channels in (normalisation.scale, normalisation.shift)
        )

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""
        return self._card

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        return score_in_chunks(frames, len(self._values), self._score)

    def close(self) -> None:
        """Give the weights' memory back; `classify` raises from now on."""
        self._session = None

    def _score(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        if self._session is None:
            raise RuntimeError("the classifier is closed")
        values = self._values[: len(frames)]
        np.stack([frame.transpose(2, 0, 1) for frame in frames], out=values)
        np.multiply(values, self._scale, out=values)
        np.add(values, self._shift, out=values)
        outputs: NDArray[np.float32] = self._session.run(None, {self._input: values})[0]
        return probabilities(outputs, exclusive=self._card.exclusive) if self._gives_logits else outputs


def _open(checkpoint: Checkpoint, device: str) -> tuple[Any, str]:
    """A session, and where it really runs: ONNX Runtime falls back to the CPU without an error."""
    # A build that can use CUDA does not tell how many devices there are: asking for too high a one fails below.
    wanted = choose_device(device, sys.maxsize if CUDA in onnxruntime.get_available_providers() else 0)
    providers: list[Any] = [CPU]
    if wanted != "cpu":
        providers.insert(0, (CUDA, {"device_id": wanted.removeprefix("cuda:")}))
    onnxruntime.disable_telemetry_events()
    session = onnxruntime.InferenceSession(checkpoint.weights, _options(), providers=providers)
    if wanted == "cpu" or CUDA in session.get_providers():
        return session, wanted
    if device == "auto":
        return session, "cpu"
    raise ConfigurationError(
        f"model.device: is {device!r}, but onnxruntime could not use that device; should be auto or cpu, "
        "or check that the CUDA and cuDNN that this onnxruntime needs are installed"
    )


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = usable_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS
    # Threads that spin while they wait take their cores from the decoders, which share them with the model.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _only_input(session: Any, checkpoint: Checkpoint) -> str:
    """The input's name. Whether frames fit it, the first batch shows."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or isinstance(inputs[0].shape[0], int):
        found = {value.name: value.shape for value in inputs}
        raise ConfigurationError(
            f"{checkpoint.weights}: has the inputs {found}, should have one, for batches of any size"
        )
    return str(inputs[0].name)
