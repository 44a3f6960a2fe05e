"""A classifier without a model: for tests that must be fast, or need certain scores."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.pixels import Frame, Geometry

Score = Callable[[Frame], Sequence[float]]


def brightness(frame: Frame) -> tuple[float, float]:
    """(1 - b, b), where b is the frame's mean brightness, 0 to 1."""
    bright = float(frame.mean()) / 255
    return 1 - bright, bright


class MemoryClassifier:
    """A `Classifier` whose scores are a function of each frame.

    Args:
        score: Gives one score for each label. What it raises, `classify` raises for the whole batch, as a
            runtime does; while it blocks, `classify` hangs.
        labels: In the order of the scores.
        geometry: Of the frames.
    """

    def __init__(
        self,
        score: Score = brightness,
        *,
        labels: tuple[str, ...] = ("dark", "bright"),
        geometry: Geometry = Geometry(16, 16),  # noqa: B008 - frozen
    ) -> None:
        self.score = score
        """May be replaced between calls."""
        self.calls: list[int] = []
        """How many frames each call brought, in order."""
        self.closed = False
        self._card = ModelCard(
            name="memory",
            digest="sha256:" + "0" * 64,
            labels=labels,
            geometry=geometry,
            exclusive=True,
            device="cpu",
            runtime="memory",
            precision="float32",
        )

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""
        return self._card

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        if self.closed:
            raise RuntimeError("the classifier is closed")
        self.calls.append(len(frames))
        geometry = self._card.geometry
        if any(frame.shape != (geometry.height, geometry.width, 3) for frame in frames):
            raise ValueError(f"every frame must have the size {geometry.height}x{geometry.width}")
        return np.array([self.score(frame) for frame in frames], dtype=np.float32)

    def close(self) -> None:
        """`classify` raises from now on."""
        self.closed = True
