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
    ("sexual", "expected"), [(0.02, False), (0.11, True), (0.19, True), (0.5, False), (0.81, True)]
)
def test_within_the_margin_of_an_edge(sexual, expected):
    assert expected is near([1 - sexual, 0.0, sexual, 0.0])


def test_labels_of_one_category_count_together_where_they_exclude_each_other():
    assert near([0.15, 0.0, 0.42, 0.43])
    assert not near([0.15, 0.0, 0.42, 0.43], exclusive=False)


def test_a_category_without_edges_is_never_near():
    assert not near([0.85, 0.15, 0.0, 0.0])


def test_not_a_number_is_near_nothing():
    assert not near([float("nan")] * 4)
