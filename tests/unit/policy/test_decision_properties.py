"""What holds for every score, not only for those that somebody thought of."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate_consumer.policy.decide import Evidence, decide
from sluicegate_consumer.policy.judge import judge
from sluicegate_consumer.policy.load import parse_policy
from sluicegate_consumer.policy.mapping import LabelMapping
from sluicegate_consumer.policy.rules import Category, Disagreement, Policy, SecondOpinion
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_consumer.policy.scores import Scores
from sluicegate_schemas.events import Decision

LABELS = ("normal", "medium", "high", "gore")
MAPPING = LabelMapping("m", {"normal": None, "medium": "sexual", "high": "sexual", "gore": "violence"})
PLENTY = Evidence(min_side=480, contrast=255)
SEVERITY = [Decision.APPROVED, Decision.ESCALATED, Decision.REJECTED]
BASE = parse_policy(
    """\
version: "1"
models: {m: {normal: null, medium: sexual, high: sexual, gore: violence}}
policies:
  default:
    categories:
      sexual: {approve_below: 0.15, reject_above: 0.90}
      violence: {approve_below: 0.15, reject_above: 0.90}
    second_opinion: {approve_below: 0.2, reject_above: 0.8}
""",
    Path("policy.yaml"),
).policy("default")

# Sixteenths are exact in binary: scores meet the edges of bands, and sums carry no rounding.
shares = st.integers(0, 16).map(lambda sixteenths: sixteenths / 16) | st.floats(0, 1)
edges = st.tuples(shares, shares).map(sorted)
frames = st.tuples(shares, shares, shares, shares)
softmax = st.tuples(*[st.integers(0, 64)] * 4).filter(any).map(lambda raw: tuple(part / sum(raw) for part in raw))
broken = st.sampled_from([math.nan, math.inf, -math.inf, -0.5, 1.5])
quick = settings(max_examples=40, deadline=None)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    def banded(name: str) -> Category:
        approve_below, reject_above = draw(edges)
        return Category(approve_below=approve_below, reject_above=reject_above, signs={"sign": name})

    approve_below, reject_above = draw(edges)
    return replace(
        BASE,
        categories={name: banded(name) for name in ("sexual", "violence")},
        second_opinion=SecondOpinion(approve_below=approve_below, reject_above=reject_above),
        disagreement=Disagreement(margin=draw(shares)),
    )


def ruling(policy: Policy, *judged: tuple[float, ...], exclusive: bool = False) -> Ruling:
    return decide(policy, MAPPING, Scores(LABELS, judged, exclusive), PLENTY)


@quick
@given(policies(), frames, st.integers(1, 3), shares)
def test_a_higher_score_never_makes_a_decision_milder(policy, frame, position, higher):
    raised = (*frame[:position], max(frame[position], higher), *frame[position + 1 :])

    before, after = ruling(policy, frame).decision, ruling(policy, raised).decision
    assert SEVERITY.index(before) <= SEVERITY.index(after)


@quick
@given(policies(), softmax, st.integers(1, 3), shares)
def test_probability_moved_from_harmless_to_harmful_never_makes_a_decision_milder(policy, frame, position, part):
    moved = frame[0] * part
    raised = [frame[0] - moved, *frame[1:]]
    raised[position] += moved

    before = ruling(policy, frame, exclusive=True).decision
    after = ruling(policy, tuple(raised), exclusive=True).decision
    assert SEVERITY.index(before) <= SEVERITY.index(after)


@quick
@given(policies(), st.lists(frames, min_size=2, max_size=4), st.data())
def test_a_broken_score_is_always_a_review(policy, judged, data):
    frame = data.draw(st.integers(0, len(judged) - 1), "frame")
    label = data.draw(st.integers(0, len(LABELS) - 1), "label")
    judged[frame] = (*judged[frame][:label], data.draw(broken, "score"), *judged[frame][label + 1 :])

    assert Decision.REVIEW is ruling(policy, *judged).decision


@quick
@given(policies(), st.lists(frames, min_size=1, max_size=4), st.randoms())
def test_the_order_of_frames_does_not_matter(policy, judged, order):
    shuffled = order.sample(judged, len(judged))
    before, after = ruling(policy, *judged), ruling(policy, *shuffled)

    assert (before.decision, before.reasons, before.margin) == (after.decision, after.reasons, after.margin)


@quick
@given(policies(), st.lists(frames, min_size=1, max_size=4), frames)
def test_another_frame_never_makes_a_decision_milder(policy, judged, another):
    before, after = ruling(policy, *judged).decision, ruling(policy, *judged, another).decision

    assert SEVERITY.index(before) <= SEVERITY.index(after)


@quick
@given(policies(), softmax, st.permutations(range(4)))
def test_the_order_of_labels_does_not_matter(policy, frame, order):
    labels, scores = tuple(LABELS[i] for i in order), tuple(frame[i] for i in order)
    permuted = decide(policy, MAPPING, Scores(labels, (scores,), exclusive=True), PLENTY)

    assert ruling(policy, frame, exclusive=True) == permuted


@dataclass(frozen=True)
class Said:
    answer: str
    score: float | None
    category: str | None
    sign: str | None


opinions = st.builds(
    Said,
    answer=st.sampled_from(["approve", "reject", "unsure", "approved", ""]),
    score=st.none() | shares | broken,
    category=st.sampled_from([None, "sexual", "violence", "unheard-of"]),
    sign=st.sampled_from([None, "sign", "unheard_of"]),
)
firsts = st.dictionaries(st.sampled_from(["sexual", "violence"]), shares | broken)


@settings(max_examples=120, deadline=None)
@given(policies(), opinions, firsts)
def test_an_approval_is_only_ever_one_that_everything_speaks_for(policy, opinion, first):
    result = judge(policy, opinion, first)
    if result.decision is not Decision.APPROVED:
        return

    assert (opinion.answer, opinion.category, opinion.sign) == ("approve", None, None)
    score = 0.0 if opinion.score is None else opinion.score
    assert opinion.score is None or 0 <= score < policy.second_opinion.approve_below
    assert first
    assert all(value - score <= policy.disagreement.margin for value in first.values())


@quick
@given(policies(), shares, broken)
def test_no_broken_number_is_ever_approved(policy, score, number):
    said = Said("approve", score, None, None)

    assert Decision.REVIEW is judge(policy, replace(said, score=number), {"sexual": score}).decision
    assert Decision.REVIEW is judge(policy, said, {"sexual": number, "violence": score}).decision
