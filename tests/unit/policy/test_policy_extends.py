"""`extends`: deep, in order, and never in a circle."""

from pathlib import Path

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.load import parse_policy
from sluicegate_consumer.policy.rules import Bands

HEAD = """\
version: "1"
models: {m: {nsfw: sexual}}
policies:
  default:
    categories:
      sexual: {approve_below: 0.15, reject_above: 0.90, description: Nudity., signs: {bare: bare skin}}
    second_opinion: {approve_below: 0.2, reject_above: 0.8}
"""


def parse(policies: str) -> PolicyDocument:
    return parse_policy(HEAD + policies, Path("policy.yaml"))


def test_a_policy_keeps_what_it_does_not_say_itself_at_every_depth():
    child = parse("  child: {extends: default, categories: {sexual: {approve_below: 0.05}}}\n").policy("child")

    assert Bands(0.05, 0.90) == child.categories["sexual"].bands
    assert child.categories["sexual"].description == "Nudity."
    assert child.second_opinion is not None


def test_a_grandchild_may_stand_before_its_parents():
    document = parse(
        "  leaf: {extends: middle, second_opinion: {outage: review}}\n"
        "  middle: {extends: default, categories: {sexual: {reject_above: 0.5}}}\n"
    )
    leaf = document.policy("leaf")

    assert Bands(0.15, 0.5) == leaf.categories["sexual"].bands
    assert leaf.second_opinion is not None
    assert leaf.second_opinion.outage == "review"


def test_null_takes_away_what_the_parent_has():
    child = parse("  child: {extends: default, second_opinion: null, disagreement: null}\n").policy("child")

    assert child.second_opinion is None
    assert child.disagreement is None


def test_a_parent_that_changes_nothing_else_is_not_changed_by_its_child():
    document = parse("  child: {extends: default, categories: {sexual: {approve_below: 0.05}}}\n")

    assert Bands(0.15, 0.90) == document.policy("default").categories["sexual"].bands


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ("  a: {extends: a}\n", "line 8: policies.a.extends: goes in a circle: a -> a"),
        (
            "  a: {extends: b}\n  b: {extends: a}\n",
            "line 9: policies.b.extends: goes in a circle: a -> b -> a",
        ),
        ("  a: {extends: b}\n", "line 8: policies.a.extends: names no policy (b); there are default, a"),
        ("  a: {extends: 1}\n", "line 8: policies.a.extends: must be text"),
    ],
)
def test_a_circle_or_an_unknown_parent_is_an_error(policies, said):
    with pytest.raises(ConfigurationError) as caught:
        parse(policies)

    assert said in str(caught.value)


def test_an_inherited_error_is_reported_once_and_where_it_was_written():
    with pytest.raises(ConfigurationError) as caught:
        parse("  parent: {extends: default, degenerate: {min_side: -1}}\n  child: {extends: parent}\n")

    assert str(caught.value).splitlines() == [
        "policy file policy.yaml:",
        "  line 8: policies.parent.degenerate.min_side: must be at least 0 (is -1)",
    ]


def test_edges_that_only_cross_after_merging_are_found_in_the_child():
    with pytest.raises(ConfigurationError, match=r"line 8: policies\.child\.categories\.sexual: approve_below 0\.95"):
        parse("  child: {extends: default, categories: {sexual: {approve_below: 0.95}}}\n")
