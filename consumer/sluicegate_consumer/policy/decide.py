"""The first tier's decision: scores and policy in, ruling out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sluicegate_consumer.policy.mapping import LabelMapping
from sluicegate_consumer.policy.rules import Bands, Degenerate, Policy
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_consumer.policy.scores import Scores, category_scores
from sluicegate_schemas.events import Decision, Reason

_SEVERITY = {Decision.APPROVED: 0, Decision.ESCALATED: 1, Decision.REJECTED: 2}
_REASONS = {
    Decision.APPROVED: Reason.CLEAR,
    Decision.ESCALATED: Reason.BETWEEN_BANDS,
    Decision.REJECTED: Reason.ABOVE_REJECT,
}
_DEGENERATE = {"approve": Decision.APPROVED, "escalate": Decision.ESCALATED, "review": Decision.REVIEW}


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much there was to see."""

    min_side: int
    """Pixels: the smaller of the image's width and height."""
    contrast: int
    """Largest difference of the brightest and the darkest value of any channel, 0 to 255."""

    def is_degenerate(self, rule: Degenerate) -> bool:
        """Whether it is too little for a score to mean anything."""
        return self.min_side < rule.min_side or self.contrast < rule.min_contrast


class _Finding(NamedTuple):
    """What one category of one frame leads to."""

    decision: Decision
    margin: float
    frame: int
    category: str
    bands: Bands


def decide(policy: Policy, mapping: LabelMapping, scores: Scores, evidence: Evidence) -> Ruling:
    """Judge one image.

    Rejected if any category of any frame reaches its reject_above; else by the policy's rule if the image is
    degenerate; else approved if every category of every frame is below its approve_below; else escalated, or
    review where the policy has no second opinion. Among several, the one furthest above its edge names
    category and frame. Broken or missing scores, of whatever frame, are a review.

    Args:
        policy: whose bands apply.
        mapping: of the model that scored.
        scores: of every frame.
        evidence: of the image.
    """
    if fault := scores.fault(mapping):
        return Ruling(Decision.REVIEW, (fault,))
    labels = [scores.of_frame(frame) for frame in range(len(scores.frames))]
    judged = [category_scores(each, mapping, exclusive=scores.exclusive) for each in labels]
    worst = max(
        _findings(policy, judged),
        key=lambda found: (_SEVERITY[found.decision], found.margin),
        default=None,
    )
    if worst is None:
        return Ruling(Decision.REVIEW, (Reason.SCORES_MISSING,))
    decision, reasons = _outcome(policy, worst.decision, degenerate=evidence.is_degenerate(policy.degenerate))
    return Ruling(
        decision=decision,
        reasons=reasons,
        category=None if Decision.APPROVED in {worst.decision, decision} else worst.category,
        worst_frame=worst.frame,
        label_scores=labels[worst.frame],
        category_scores={
            category: score for category, score in judged[worst.frame].items() if category in policy.categories
        },
        bands=worst.bands,
        margin=worst.margin,
    )


def _findings(policy: Policy, judged: Sequence[Mapping[str, float]]) -> Iterator[_Finding]:
    for frame, scores in enumerate(judged):
        for name, category in policy.categories.items():
            if name in scores and (bands := category.bands):
                yield _finding(scores[name], bands, frame, name)


def _finding(score: float, bands: Bands, frame: int, category: str) -> _Finding:
    if score >= bands.reject_above:
        return _Finding(Decision.REJECTED, score - bands.reject_above, frame, category, bands)
    below = score < bands.approve_below
    decision = Decision.APPROVED if below else Decision.ESCALATED
    return _Finding(decision, score - bands.approve_below, frame, category, bands)


def _outcome(policy: Policy, decision: Decision, *, degenerate: bool) -> tuple[Decision, tuple[Reason, ...]]:
    if degenerate and decision is Decision.REJECTED:
        return decision, (Reason.ABOVE_REJECT, Reason.DEGENERATE_IMAGE)
    reason = _REASONS[decision]
    if degenerate:
        decision, reason = _DEGENERATE[policy.degenerate.then], Reason.DEGENERATE_IMAGE
    if decision is Decision.ESCALATED and policy.second_opinion is None:
        decision = Decision.REVIEW
    return decision, (reason,)
