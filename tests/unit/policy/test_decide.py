"""The first tier's decision, edge by edge."""

import math
from pathlib import Path

import pytest

from sluicegate_consumer.policy.decide import Evidence, decide
from sluicegate_consumer.policy.load import parse_policy
from sluicegate_consumer.policy.rules import Bands
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_consumer.policy.scores import Scores
from sluicegate_schemas.events import Decision, Reason

DOCUMENT = parse_policy(
    """\
version: "1"
models:
  m: {normal: null, low: suggestive, medium: sexual, high: sexual, gore: violence}
policies:
  default:
    categories:
      sexual: {approve_below: 0.15, reject_above: 0.90}
      violence: {approve_below: 0.25, reject_above: 0.75}
      suggestive: null
      hate: {description: Symbols of hatred.}
    second_opinion: {approve_below: 0.2, reject_above: 0.8}
    degenerate: {min_side: 16, min_contrast: 8, then: review}
  human: {extends: default, second_opinion: null}
  escalate: {extends: default, degenerate: {then: escalate}}
  approve: {extends: default, degenerate: {then: approve}}
  alone: {extends: human, degenerate: {then: escalate}}
""",
    Path("policy.yaml"),
)
LABELS = ("normal", "low", "medium", "high", "gore")
MAPPING = DOCUMENT.mapping_for("m", LABELS)
PLENTY = Evidence(min_side=480, contrast=255)


def frame(**scores: float) -> tuple[float, ...]:
    return tuple(scores.get(label, 0.0) for label in LABELS)


def ruling(
    *frames: tuple[float, ...], policy: str = "default", exclusive: bool = False, evidence: Evidence = PLENTY
) -> Ruling:
    return decide(DOCUMENT.policy(policy), MAPPING, Scores(LABELS, frames, exclusive), evidence)


@pytest.mark.parametrize(
    ("score", "decision", "reason"),
    [
        (0.0, Decision.APPROVED, Reason.CLEAR),
        (math.nextafter(0.15, 0), Decision.APPROVED, Reason.CLEAR),
        (0.15, Decision.ESCALATED, Reason.BETWEEN_BANDS),
        (math.nextafter(0.90, 0), Decision.ESCALATED, Reason.BETWEEN_BANDS),
        (0.90, Decision.REJECTED, Reason.ABOVE_REJECT),
        (1.0, Decision.REJECTED, Reason.ABOVE_REJECT),
    ],
)
def test_an_edge_belongs_to_the_band_above_it(score, decision, reason):
    result = ruling(frame(high=score))

    assert (decision, (reason,)) == (result.decision, result.reasons)


def test_an_approval_names_no_category_but_tells_how_close_it_was():
    result = ruling(frame(high=0.10, gore=0.05))

    assert result.category is None
    assert pytest.approx(-0.05) == result.margin
    assert Bands(0.15, 0.90) == result.bands


def test_the_widest_margin_names_the_category_not_the_highest_score():
    result = ruling(frame(high=0.91, gore=0.89))

    assert (result.decision, result.category) == (Decision.REJECTED, "violence")
    assert pytest.approx(0.14) == result.margin


def test_a_category_that_the_policy_ignores_or_leaves_to_the_second_tier_decides_nothing():
    result = ruling(frame(low=1.0))

    assert Decision.APPROVED is result.decision
    assert result.category_scores == {"sexual": 0.0, "violence": 0.0}
    assert result.label_scores["low"] == 1.0


def test_labels_that_exclude_each_other_add_up():
    result = ruling(frame(normal=0.08, medium=0.46, high=0.46), exclusive=True)

    assert Decision.REJECTED is result.decision
    assert pytest.approx(0.92) == result.category_scores["sexual"]


def test_labels_that_stand_alone_do_not_add_up():
    result = ruling(frame(medium=0.46, high=0.45))

    assert Decision.ESCALATED is result.decision
    assert result.category_scores["sexual"] == 0.46


def test_a_sum_that_rounding_carries_past_one_is_one():
    assert ruling(frame(medium=0.5, high=0.505), exclusive=True).category_scores["sexual"] == 1.0


def test_the_worst_frame_decides_and_is_named():
    result = ruling(frame(high=0.01), frame(high=0.5), frame(gore=0.8), frame(high=0.89))

    assert (result.decision, result.category, result.worst_frame) == (Decision.REJECTED, "violence", 2)
    assert result.label_scores["gore"] == 0.8


def test_among_harmless_frames_the_one_nearest_the_edge_is_the_worst():
    assert ruling(frame(high=0.01), frame(high=0.14), frame(high=0.02)).worst_frame == 1


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf, -0.01, 1.01])
@pytest.mark.parametrize("label", LABELS)
def test_one_broken_score_in_any_frame_is_a_review(broken, label):
    result = ruling(frame(high=0.99), frame(**{label: broken}))

    assert Ruling(Decision.REVIEW, (Reason.SCORES_NOT_FINITE,)) == result


@pytest.mark.parametrize("score", [-0.0009, 1.0009])
def test_rounding_just_outside_the_range_is_clamped(score):
    result = ruling(frame(high=score))

    assert round(score) == result.label_scores["high"] == result.category_scores["sexual"]


@pytest.mark.parametrize(
    "scores",
    [
        Scores(LABELS, (), exclusive=False),
        Scores(LABELS, ((),), exclusive=False),
        Scores(LABELS, ((0.1, 0.1),), exclusive=False),
        Scores((*LABELS[:-1], "other"), (frame(),), exclusive=False),
        Scores(LABELS[:-1], ((0.0,) * 4,), exclusive=False),
        Scores(LABELS, (frame(),), exclusive=True),
    ],
    ids=["no frames", "empty frame", "short frame", "another label", "a label less", "softmax of nothing"],
)
def test_missing_scores_are_a_review(scores):
    result = decide(DOCUMENT.policy("default"), MAPPING, scores, PLENTY)

    assert Ruling(Decision.REVIEW, (Reason.SCORES_MISSING,)) == result


def test_what_is_ambiguous_goes_to_a_human_where_there_is_no_second_opinion():
    result = ruling(frame(high=0.5), policy="human")

    assert (result.decision, result.reasons) == (Decision.REVIEW, (Reason.BETWEEN_BANDS,))


@pytest.mark.parametrize(
    ("evidence", "degenerate"),
    [
        (Evidence(16, 8), False),
        (Evidence(15, 255), True),
        (Evidence(480, 7), True),
    ],
)
def test_too_few_pixels_or_too_little_contrast_are_degenerate(evidence, degenerate):
    assert degenerate == (Reason.DEGENERATE_IMAGE in ruling(frame(), evidence=evidence).reasons)


@pytest.mark.parametrize(
    ("policy", "decision"),
    [
        ("default", Decision.REVIEW),
        ("escalate", Decision.ESCALATED),
        ("approve", Decision.APPROVED),
        ("alone", Decision.REVIEW),
    ],
)
@pytest.mark.parametrize("score", [0.0, 0.5])
def test_a_degenerate_image_falls_under_its_own_rule(policy, decision, score):
    result = ruling(frame(high=score), policy=policy, evidence=Evidence(480, 0))

    assert (decision, (Reason.DEGENERATE_IMAGE,)) == (result.decision, result.reasons)


def test_a_degenerate_image_is_still_rejected_if_it_scores_so():
    result = ruling(frame(high=0.95), policy="approve", evidence=Evidence(480, 0))

    assert Decision.REJECTED is result.decision
    assert result.reasons == (Reason.ABOVE_REJECT, Reason.DEGENERATE_IMAGE)


def test_a_degenerate_image_is_never_approved_on_broken_scores():
    assert Decision.REVIEW is ruling(frame(high=math.nan), policy="approve", evidence=Evidence(1, 0)).decision
