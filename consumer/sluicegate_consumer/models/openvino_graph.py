"""A checkpoint as OpenVINO's graph, from frames to what the model gives. Import where the extra `openvino` is."""

import math
import sys
from typing import Any

import numpy as np

from sluicegate_consumer.models.checkpoint import Checkpoint

# OpenVINO reports each conversion of a model to Google unless its package for that cannot be imported.
# None is how Python forbids an import.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402 - must come after the line above
from openvino.preprocess import PrePostProcessor  # noqa: E402 - same

__all__ = ["openvino", "openvino_graph", "weight_count"]  # whoever needs the package takes it from here, silenced


def openvino_graph(checkpoint: Checkpoint) -> Any:
    """The model with frames as its input, uint8 of shape (any, height, width, 3), normalised inside.

    For a checkpoint of transformers the extra `torch` must be installed as well: it is traced and converted, which
    takes seconds, so whoever compiles it more than once keeps it.
    """
    read = openvino.Core().read_model(checkpoint.weights) if _is_onnx(checkpoint) else _converted(checkpoint)
    return _normalising(read, checkpoint)


def weight_count(graph: Any) -> int:
    """Numbers that the graph holds as constants: its weights, and little else."""
    return sum(math.prod(each.shape) for each in graph.get_ops() if each.get_type_name() == "Constant")


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
