"""Which scores lie near an edge of some policy, so that a small error in them could change a decision."""

from collections.abc import Callable, Sequence

from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.mapping import LabelMapping
from sluicegate_consumer.policy.scores import category_scores


def near_an_edge(
    document: PolicyDocument, mapping: LabelMapping, labels: Sequence[str], *, exclusive: bool, margin: float
) -> Callable[[Sequence[float]], bool]:
    """A function that tells whether a frame's scores lie within `margin` of an edge of any policy.

    Args:
        document: whose policies' bands count, all of them: one frame may be judged by any.
        mapping: of the model.
        labels: the model's, in the order of the scores.
        exclusive: as the model is.
        margin: how far a score may be off, 0 to 1. It is taken for a category's score, which is the sum of its labels'
            where these exclude each other: the errors of a softmax's parts offset each other.
    """
    edges: dict[str, set[float]] = {}
    for policy in document.policies.values():
        for name, category in policy.categories.items():
            edges.setdefault(name, set()).update(category.bands or ())

    def is_near(scores: Sequence[float]) -> bool:
        judged = category_scores(dict(zip(labels, scores, strict=True)), mapping, exclusive=exclusive)
        return any(abs(score - edge) <= margin for name, score in judged.items() for edge in edges.get(name, ()))

    return is_near
