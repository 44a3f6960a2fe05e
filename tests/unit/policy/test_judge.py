"""The second tier's decision, answer by answer."""

import math
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sluicegate_consumer.policy.judge import judge, outage_ruling
from sluicegate_consumer.policy.load import parse_policy
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_schemas.events import Decision, Reason

DOCUMENT = parse_policy(
    """\
version: "1"
models: {m: {normal: null, nsfw: sexual}}
policies:
  default:
    categories:
      sexual: {approve_below: 0.15, reject_above: 0.90, signs: {nudity: bare skin}}
      hate: {description: Symbols of hatred.}
    second_opinion: {approve_below: 0.20, reject_above: 0.80, outage: hold, deadline: 10m}
    disagreement: {margin: 0.60, then: review}
  reject: {extends: default, disagreement: {then: reject}}
  trust: {extends: default, disagreement: {then: trust_second}}
  single: {extends: default, disagreement: null}
  alone: {extends: default, second_opinion: null}
  soon: {extends: default, second_opinion: {outage: review}}
  provisional: {extends: default, second_opinion: {outage: provisional}}
""",
    Path("policy.yaml"),
)


@dataclass(frozen=True)
class Said:
    answer: str
    score: float | None
    category: str | None = None
    sign: str | None = None


def ruling(said: Said, *, policy: str = "default", first: float = 0.5) -> Ruling:
    return judge(DOCUMENT.policy(policy), said, {"sexual": first})


APPROVE, REJECT = Said("approve", 0.05), Said("reject", 0.95, "sexual", "nudity")


@pytest.mark.parametrize(
    ("answer", "score", "decision"),
    [
        ("approve", 0.0, Decision.APPROVED),
        ("approve", math.nextafter(0.20, 0), Decision.APPROVED),
        ("approve", 0.20, Decision.REVIEW),
        ("approve", 0.99, Decision.REVIEW),
        ("reject", 0.05, Decision.REVIEW),
        ("reject", math.nextafter(0.80, 0), Decision.REVIEW),
        ("reject", 0.80, Decision.REJECTED),
        ("reject", 1.0, Decision.REJECTED),
        ("unsure", 0.0, Decision.REVIEW),
        ("unsure", 1.0, Decision.REVIEW),
        ("unsure", None, Decision.REVIEW),
    ],
)
def test_answer_and_score_decide_together(answer, score, decision):
    assert decision is ruling(Said(answer, score, "sexual" if answer == "reject" else None)).decision


def test_an_approval_says_so_and_names_no_category():
    assert Ruling(Decision.APPROVED, (Reason.VLM_APPROVED,)) == ruling(APPROVE)


def test_a_rejection_names_the_category_and_the_policy_s_sign():
    assert Ruling(Decision.REJECTED, (Reason.VLM_REJECTED, "nudity"), "sexual") == ruling(REJECT)


def test_what_is_unsure_tells_the_human_what_was_seen():
    expected = Ruling(Decision.REVIEW, (Reason.VLM_UNSURE, "nudity"), "sexual")

    assert expected == ruling(Said("reject", 0.5, "sexual", "nudity"))


@pytest.mark.parametrize(
    ("said", "decision", "reason"),
    [
        (Said("approve", None), Decision.APPROVED, Reason.VLM_APPROVED),
        (Said("reject", None, "sexual"), Decision.REJECTED, Reason.VLM_REJECTED),
        (Said("unsure", None), Decision.REVIEW, Reason.VLM_UNSURE),
    ],
)
def test_without_a_score_the_answer_alone_decides_and_the_reasons_say_so(said, decision, reason):
    result = ruling(said)

    assert (decision, (reason, Reason.VLM_WITHOUT_SCORE)) == (result.decision, result.reasons)


@pytest.mark.parametrize(
    "said",
    [
        Said("approve", math.nan),
        Said("approve", -math.inf),
        Said("approve", -0.5),
        Said("reject", 1.5, "sexual"),
        Said("approve", 0.05, "sexual"),
        Said("approve", 0.05, None, "nudity"),
        Said("reject", 0.95),
        Said("reject", 0.95, "unheard-of"),
        Said("reject", 0.95, "sexual", "unheard_of"),
        Said("reject", 0.95, "hate", "nudity"),
        Said("unsure", 0.5, None, "nudity"),
        Said("APPROVE", 0.05),
        Said("", 0.05, "sexual"),
    ],
)
def test_what_is_no_answer_is_a_review(said):
    assert Ruling(Decision.REVIEW, (Reason.VLM_ANSWER_INVALID,)) == ruling(said)


def test_the_second_tier_may_reject_for_what_the_first_cannot_see():
    result = ruling(Said("reject", 0.95, "hate"))

    assert (result.decision, result.category) == (Decision.REJECTED, "hate")


@pytest.mark.parametrize(
    ("said", "first", "disagree"),
    [
        (Said("approve", 0.125), 0.725, False),
        (Said("approve", 0.125), 0.75, True),
        (Said("approve", 0.0), 0.60, False),
        (Said("reject", 0.875, "sexual"), 0.375, False),
        (Said("reject", 0.875, "sexual"), 0.25, True),
        (Said("approve", None), 0.61, True),
        (Said("reject", None, "sexual"), 0.39, True),
        (Said("approve", 0.125), 0.0, False),
        (Said("reject", 0.875, "sexual"), 1.0, False),
    ],
)
def test_tiers_disagree_if_they_lean_apart_by_more_than_the_margin(said, first, disagree):
    result = ruling(said, first=first)

    assert disagree == (Reason.TIERS_DISAGREE in result.reasons)
    assert disagree == (Decision.REVIEW is result.decision)


@pytest.mark.parametrize(
    ("policy", "said", "first", "decision", "category"),
    [
        ("default", APPROVE, 0.89, Decision.REVIEW, "sexual"),
        ("reject", APPROVE, 0.89, Decision.REJECTED, "sexual"),
        ("trust", APPROVE, 0.89, Decision.APPROVED, None),
        ("single", APPROVE, 0.89, Decision.APPROVED, None),
        ("default", REJECT, 0.16, Decision.REVIEW, "sexual"),
        ("reject", REJECT, 0.16, Decision.REJECTED, "sexual"),
        ("trust", REJECT, 0.16, Decision.REJECTED, "sexual"),
    ],
)
def test_a_disagreement_falls_under_the_policy_s_rule(policy, said, first, decision, category):
    result = ruling(said, policy=policy, first=first)

    assert (decision, category) == (result.decision, result.category)


@pytest.mark.parametrize(
    ("first", "reason"),
    [({}, Reason.SCORES_MISSING), ({"sexual": math.nan, "violence": 0.1}, Reason.SCORES_NOT_FINITE)],
)
def test_without_the_first_tier_s_scores_agreement_is_not_assumed(first, reason):
    result = judge(DOCUMENT.policy("default"), APPROVE, first)

    assert (Decision.REVIEW, (Reason.VLM_APPROVED, reason)) == (result.decision, result.reasons)


def test_an_answer_under_a_policy_that_asks_no_second_tier_is_a_review():
    assert Decision.REVIEW is ruling(APPROVE, policy="alone").decision


@pytest.mark.parametrize(
    ("policy", "minutes", "decision"),
    [
        ("default", 10_000, None),
        ("soon", 10, None),
        ("soon", 10.1, Decision.REVIEW),
        ("provisional", 10, None),
        ("provisional", 10.1, Decision.ESCALATED),
        ("alone", 0, Decision.REVIEW),
    ],
)
def test_an_outage_longer_than_the_deadline_falls_under_the_policy_s_rule(policy, minutes, decision):
    result = outage_ruling(DOCUMENT.policy(policy), timedelta(minutes=minutes))

    assert (Ruling(decision, (Reason.VLM_UNAVAILABLE,)) if decision else None) == result
