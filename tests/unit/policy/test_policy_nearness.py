"""Near an edge is what an error of the margin could carry over it, in any policy, in the policy's categories."""

import pytest

from sluicegate_consumer.policy.load import load_policy
from sluicegate_consumer.policy.nearness import near_an_edge

LABELS = ("neutral", "low", "medium", "high")


def near(scores, margin=0.05, *, exclusive=True):
    policies = load_policy(None)
    mapping = policies.mapping_for("Freepik/nsfw_image_detector", LABELS)
    return near_an_edge(policies, mapping, LABELS, exclusive=exclusive, margin=margin)(scores)


@pytest.mark.parametrize(
    ("sexual", "expected"), [(0.02, False), (0.11, True), (0.17, True), (0.5, False), (0.83, True), (0.88, False)]
)
def test_within_the_margin_of_an_edge(sexual, expected):
    assert expected is near([1 - sexual, 0.0, sexual, 0.0])


def test_labels_of_one_category_count_together_where_they_exclude_each_other():
    assert near([0.15, 0.0, 0.42, 0.43])
    assert not near([0.15, 0.0, 0.42, 0.43], exclusive=False)


def test_a_category_without_edges_is_never_near():
    assert not near([0.85, 0.15, 0.0, 0.0])


@pytest.mark.parametrize(("inside", "outside"), [(0.1772, 0.1774), (0.1005, 0.1003)])
def test_the_margin_is_one_of_log_odds(inside, outside):
    """The edges here are 0.12 and 0.15. An error of 0.2 before the softmax, 0.05 at one half, moves them that far."""
    assert near([1 - inside, 0.0, inside, 0.0])
    assert not near([1 - outside, 0.0, outside, 0.0])


def test_not_a_number_is_near_nothing():
    assert not near([float("nan")] * 4)
