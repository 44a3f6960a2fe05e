"""The edge to a model: frames in, scores out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.models.precision import Precision
from sluicegate_consumer.pixels import Frame, Geometry


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a loaded model says of itself. Nothing here is assumed: labels and sizes are read from its own files."""

    name: str
    digest: str
    """`sha256:` and 64 hexadecimal digits over the files that determine its scores."""
    labels: tuple[str, ...]
    """In the order of the scores."""
    geometry: Geometry
    exclusive: bool
    """True: softmax, the scores of an image add up to 1. False: sigmoid, each label stands alone."""
    device: str
    """Where it runs: `cpu`, `cuda:0`, ..."""
    runtime: str
    """`torch`, `onnxruntime`, `openvino`, ..."""
    precision: Precision
    """Of the multiplications. Scores near an edge may have been computed again, more exactly."""
    lanes: int = 1
    """Calls to `classify` that may run at the same time, each in a thread of its own."""
    side_by_side: int = 1
    """Of these, how many are computed at the same time; with fewer a part of the device stands idle. What the other
    lanes hold is being copied meanwhile."""


class Classifier(Protocol):
    """Scores frames. Blocking: it is called from the threads that own the device, one for each of the card's lanes."""

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores of shape (len(frames), len(labels)), float32 in [0, 1].

        A frame's scores depend neither on its place in the batch nor on its neighbours. Not-a-number comes back as
        such, never as a harmless value. Whatever the runtime raises passes through: the caller bisects the batch.
        """

    def close(self) -> None:
        """Give the device's memory back."""
