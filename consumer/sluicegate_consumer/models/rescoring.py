"""Fast scores where they are good enough, exact ones where a small error could change a decision."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.models.classifier import Classifier, ModelCard
from sluicegate_consumer.pixels import Frame

BFLOAT16_MARGIN = 0.08
"""What bfloat16 is hardly ever off by. A trained ViT-S: at most .07, 99 % within .03. The embedded model on 6,400 crops
of photographs: at most .054, 99 % within .016 (`benchmarks/precision.py`); on 6,400 others, some of exchanged colours,
one by .09."""

IsNear = Callable[[Sequence[float]], bool]
"""Whether a frame's scores, one for each label, lie so near an edge that the margin could carry them over it."""
NearEdges = Callable[[ModelCard, float], IsNear]
"""Tells, for a model and a margin, what is near. Where the edges come from is not this room's business."""


class RescoringClassifier:
    """A `Classifier` that asks a fast one, and an exact one again about frames near an edge.

    Args:
        fast: Whose card this one shows.
        exact: Of the same weights.
        is_near: Which scores of the fast one are not exact enough.
    """

    def __init__(self, fast: Classifier, exact: Classifier, is_near: IsNear) -> None:
        self._fast = fast
        self._exact = exact
        self._is_near = is_near

    @property
    def card(self) -> ModelCard:
        """Of the fast one."""
        return self._fast.card

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        scores = self._fast.classify(frames)
        near = [index for index, row in enumerate(scores.tolist()) if self._is_near(row)]
        if near:
            scores[near] = self._exact.classify([frames[index] for index in near])
        return scores

    def close(self) -> None:
        """Give the memory of both back."""
        self._fast.close()
        self._exact.close()
