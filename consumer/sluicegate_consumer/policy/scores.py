"""What a classifier said about the frames of one image, and what that means in the policy's categories."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sluicegate_consumer.policy.mapping import LabelMapping
from sluicegate_schemas.events import Reason

TOLERANCE = 1e-3
"""How far outside [0, 1] rounding in half precision may put a score; further out it is no score."""

SUM_TOLERANCE = 1e-2
"""How far from 1 the scores of an exclusive model may add up. Half precision rounds each to about 5e-4; a
buffer of zeros, which would pass for harmless, is far outside."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Label scores of one image."""

    labels: Sequence[str]
    frames: Sequence[Sequence[float]]
    """Shape (frames, labels), plain floats in [0, 1]."""
    exclusive: bool
    """Softmax: the labels exclude each other and a frame's scores add up to 1."""

    def of_frame(self, position: int) -> dict[str, float]:
        """Label to score, clamped to [0, 1], of one frame."""
        return {label: _clamped(score) for label, score in zip(self.labels, self.frames[position], strict=True)}

    def fault(self, mapping: LabelMapping) -> Reason | None:
        """Why nothing can be concluded from these scores; None where something can."""
        if len(self.frames) == 0 or not mapping.is_of(self.labels):
            return Reason.SCORES_MISSING
        if any(len(frame) != len(self.labels) for frame in self.frames):
            return Reason.SCORES_MISSING
        if not all(is_score(score) for frame in self.frames for score in frame):
            return Reason.SCORES_NOT_FINITE
        if self.exclusive and not all(map(_adds_up, self.frames)):
            return Reason.SCORES_MISSING
        return None


def is_score(value: float) -> bool:
    """Whether it is a number in [0, 1], give or take `TOLERANCE`. Infinity and not-a-number are not."""
    return math.isfinite(value) and -TOLERANCE <= value <= 1 + TOLERANCE


def category_scores(labels: Mapping[str, float], mapping: LabelMapping, *, exclusive: bool) -> dict[str, float]:
    """Score of every category that the mapping knows, in [0, 1].

    Of labels that exclude each other, the probability that one of them holds is the sum of theirs (`medium`
    0.4 and `high` 0.4 are 0.8 of sexual, though neither is likely alone). Of labels that stand alone the sum
    means nothing: two of 0.6 may be the same evidence twice, so the strongest counts.
    """
    by_category: dict[str, list[float]] = {}
    for label, score in labels.items():
        if category := mapping.labels[label]:
            by_category.setdefault(category, []).append(score)
    return {
        category: _clamped(math.fsum(found) if exclusive else max(found)) for category, found in by_category.items()
    }


def _clamped(score: float) -> float:
    return min(max(score, 0.0), 1.0)


def _adds_up(scores: Sequence[float]) -> bool:
    return abs(math.fsum(scores) - 1) <= SUM_TOLERANCE
