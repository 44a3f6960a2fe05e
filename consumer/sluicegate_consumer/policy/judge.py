"""The second tier's decision: an answer, the policy and the first tier's scores in, ruling out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from sluicegate_consumer.policy.rules import Bands, Disagreement, Policy
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_consumer.policy.scores import is_score
from sluicegate_schemas.events import Decision, Reason

_REASONS = {
    Decision.APPROVED: Reason.VLM_APPROVED,
    Decision.REJECTED: Reason.VLM_REJECTED,
    Decision.REVIEW: Reason.VLM_UNSURE,
}
NOBODY_TO_ASK = Ruling(Decision.REVIEW, (Reason.VLM_UNAVAILABLE,))
"""Where the policy has no second opinion: it was escalated under one that had."""


class Answered(Protocol):
    """What a language model has said, as the second tier's `Opinion` holds it."""

    @property
    def answer(self) -> str:
        """`approve`, `reject` or `unsure`."""

    @property
    def score(self) -> float | None:
        """Probability of *reject*, in [0, 1]. None: the server sent none."""

    @property
    def category(self) -> str | None:
        """A category of the policy; `reject` needs one, `approve` has none."""

    @property
    def sign(self) -> str | None:
        """A sign of that category, or None."""


def judge(policy: Policy, opinion: Answered, first: Mapping[str, float]) -> Ruling:
    """Judge a language model's answer. Whatever is unsure, contradictory or invalid is a human's to decide.

    The answer decides only together with its score: `approve` at or above the approve band, or `reject`
    below the reject band, is unsure. Without a score the answer alone decides, and the reasons say so. An
    answer that stands too far from what the first tier scored falls under the policy's rule for
    disagreement.

    Args:
        policy: whose bands for the second opinion apply.
        opinion: the answer.
        first: the first tier's score of each category, in [0, 1], of the frame that was asked about.
    """
    if policy.second_opinion is None:
        return NOBODY_TO_ASK
    if not _is_valid(policy, opinion):
        return Ruling(Decision.REVIEW, (Reason.VLM_ANSWER_INVALID,))
    decision = _decided(opinion, policy.second_opinion.bands)
    said = _reasons(decision, opinion)
    category = opinion.category
    if policy.disagreement and decision is not Decision.REVIEW:
        if fault := _fault(first):
            return Ruling(Decision.REVIEW, (*said, fault), category)
        if _disagree(decision, opinion.score, first, policy.disagreement):
            decision, said = _settled(decision, policy.disagreement), (*said, Reason.TIERS_DISAGREE)
            category = category or max(first, key=first.__getitem__)
    signs = (opinion.sign,) if opinion.sign else ()
    return Ruling(decision, (*said, *signs), None if decision is Decision.APPROVED else category)


def outage_ruling(policy: Policy, waited: timedelta) -> Ruling | None:
    """What becomes of an escalation while no language model can be asked.

    Args:
        policy: whose outage rule applies.
        waited: since the escalation was written.

    Returns:
        None while it is to go on waiting; `review` if a human is to decide; `escalated` if the provisional
        verdict is to stand for good.
    """
    rules = policy.second_opinion
    if rules is None:
        return NOBODY_TO_ASK
    if rules.outage == "hold" or waited <= rules.deadline:
        return None
    decision = Decision.REVIEW if rules.outage == "review" else Decision.ESCALATED
    return Ruling(decision, (Reason.VLM_UNAVAILABLE,))


def _is_valid(policy: Policy, opinion: Answered) -> bool:
    if opinion.score is not None and not is_score(opinion.score):
        return False
    if opinion.answer == "approve":
        return opinion.category is None and opinion.sign is None
    if opinion.category is None:
        return opinion.answer == "unsure" and opinion.sign is None
    known = policy.categories.get(opinion.category)
    of_it = known is not None and (opinion.sign is None or opinion.sign in known.signs)
    return of_it and opinion.answer in {"reject", "unsure"}


def _decided(opinion: Answered, bands: Bands) -> Decision:
    if opinion.answer == "approve" and (opinion.score is None or opinion.score < bands.approve_below):
        return Decision.APPROVED
    if opinion.answer == "reject" and (opinion.score is None or opinion.score >= bands.reject_above):
        return Decision.REJECTED
    return Decision.REVIEW


def _reasons(decision: Decision, opinion: Answered) -> tuple[str, ...]:
    reason = _REASONS[decision]
    return (reason, Reason.VLM_WITHOUT_SCORE) if opinion.score is None else (reason,)


def _fault(first: Mapping[str, float]) -> Reason | None:
    if not first:
        return Reason.SCORES_MISSING
    return None if all(map(is_score, first.values())) else Reason.SCORES_NOT_FINITE


def _disagree(decision: Decision, score: float | None, first: Mapping[str, float], rule: Disagreement) -> bool:
    """Whether the first tier's worst score lies beyond the margin on the other side.

    An answer without a score is taken as certain.
    """
    worst = max(first.values())
    if decision is Decision.APPROVED:
        return worst - (0.0 if score is None else score) > rule.margin
    return (1.0 if score is None else score) - worst > rule.margin


def _settled(decision: Decision, rule: Disagreement) -> Decision:
    return {"review": Decision.REVIEW, "reject": Decision.REJECTED, "trust_second": decision}[rule.then]
