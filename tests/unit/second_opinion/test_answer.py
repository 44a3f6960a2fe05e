"""An answer is of exactly the form that was asked for, or it is none; and its score is read from its tokens."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate_consumer.second_opinion.answer import GivenAnswer, InvalidAnswer, parse_answer
from sluicegate_consumer.second_opinion.criteria import Criteria, CriteriaCategory
from sluicegate_consumer.second_opinion.score import Alternative, Token, reject_score

CRITERIA = Criteria(
    "default",
    (
        CriteriaCategory("sexual", "Nudity.", {"nudity": "bare skin"}),
        CriteriaCategory("violence", "Blood.", {"gore": "open wounds"}),
    ),
)


def text(decision: object = "A", category: object = "none", sign: object = "none") -> str:
    return json.dumps({"decision": decision, "category": category, "sign": sign})


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (text(), GivenAnswer("approve", None, None)),
        (text("R", "sexual", "nudity"), GivenAnswer("reject", "sexual", "nudity")),
        (text("R", "violence"), GivenAnswer("reject", "violence", None)),
        (text("U"), GivenAnswer("unsure", None, None)),
        (text("U", "sexual"), GivenAnswer("unsure", "sexual", None)),
        (" \n" + text() + "\n", GivenAnswer("approve", None, None)),
    ],
)
def test_an_answer_of_the_right_form_is_read(said, answer):
    assert answer == parse_answer(said, CRITERIA)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", "not_json"),
        ("approve", "not_json"),
        ('"A"', "not_an_object"),
        ("[]", "not_an_object"),
        ('{"decision": "A"}', "unexpected_keys"),
        (text()[:-1] + ', "note": "x"}', "unexpected_keys"),
        (text()[:-1] + ', "decision": "R"}', "repeated_key"),
        (text("approve"), "unknown_decision"),
        (text("a"), "unknown_decision"),
        (text(None), "unknown_decision"),
        (text(["A"]), "unknown_decision"),
        (text(math.nan), "not_json"),
        (text("R", "politics"), "unknown_category"),
        (text("R", 1), "unknown_category"),
        (text("R", "sexual", "blood"), "unknown_sign"),
        (text("R", "sexual", "gore"), "sign_of_another_category"),
        (text("R"), "rejects_without_category"),
        (text("A", "sexual"), "approves_and_names_a_category_or_sign"),
        (text() + text(), "not_json"),
        ("```json\n" + text() + "\n```", "not_json"),
        ("[" * 100_000, "not_json"),
    ],
)
def test_anything_else_is_none_and_is_not_quoted(said, code):
    with pytest.raises(InvalidAnswer) as caught:
        parse_answer(said, CRITERIA)
    assert code == str(caught.value)


@given(st.text() | st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_nothing_made_up_is_an_approval(said):
    with pytest.raises(InvalidAnswer):
        parse_answer(said, CRITERIA)


def tokens(*decisive: tuple[str, float], before: str = '{"decision":"', chosen: str = "A", quoted: bool = False):
    """An answer in tokens; those that could have stood at the decision, with their probabilities."""
    quote = '"' if quoted else ""
    listed = tuple(Alternative(quote + each, math.log(chance)) for each, chance in decisive)
    own = next((each.logprob for each in listed if each.text == quote + chosen), -30.0)
    head = before.removesuffix('"') if quoted else before
    return (Token(head, 0.0), Token(quote + chosen, own, listed), Token('","category":"none"}', 0.0))


@pytest.mark.parametrize("quoted", [False, True])
def test_the_score_is_the_probability_of_reject_among_the_three(quoted):
    given_tokens = tokens(("A", 0.6), ("R", 0.3), ("U", 0.1), quoted=quoted)
    assert pytest.approx(0.3) == reject_score(given_tokens)


def test_tokens_that_begin_no_decision_are_left_out():
    assert pytest.approx(0.25) == reject_score(tokens(("A", 0.6), ("R", 0.2), ("X", 0.2)))


def test_probability_that_cannot_be_told_counts_against_the_image():
    assert pytest.approx(0.4) == reject_score(tokens(("A", 0.6), ("R", 0.1)))
    broken = (Token('{"decision":"', 0.0), Token("A", math.nan, (Alternative("A", math.nan),)))
    assert 1.0 == reject_score(broken)


def test_without_tokens_there_is_no_score_and_without_a_decision_among_them_it_is_the_worst():
    assert reject_score(()) is None
    assert 1.0 == reject_score((Token("hello", 0.0),))


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "R", "U", "X", '"A', ""]), st.floats(allow_nan=True, allow_infinity=True)),
        max_size=6,
    )
)
def test_a_score_is_always_a_probability(listed):
    alternatives = tuple(Alternative(each, logprob) for each, logprob in listed)
    for own in (-0.1, math.nan, math.inf, -math.inf, 5.0):
        score = reject_score((Token('{"decision":"', 0.0), Token("A", own, alternatives)))
        assert 0.0 <= score <= 1.0
