"""Which scores lie near an edge of some policy, so that a small error in them could change a decision."""

import math
from collections.abc import Callable, Sequence

from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.mapping import LabelMapping
from sluicegate_consumer.policy.scores import category_scores


def near_an_edge(
    document: PolicyDocument, mapping: LabelMapping, labels: Sequence[str], *, exclusive: bool, margin: float
) -> Callable[[Sequence[float]], bool]:
    """A function that tells whether a frame's scores lie so near an edge of any policy that an error could matter.

    What is off by a little is the model's sum before its softmax or sigmoid, so the distance is one of log-odds: the
    same error moves a score of 0.5 most, and one near 0 or 1 hardly. A margin of 0.08 makes it 0.32. The embedded model
    in bfloat16 was off by at most 0.23 on 6,400 crops of photographs, one in a thousand by more than 0.15; of 62 that
    it would have decided otherwise, none was left (`benchmarks/precision.py`). By the same margin taken for scores,
    53 % of 360 ordinary photographs would be computed again; by log-odds it is 4 %.

    Args:
        document: whose policies' bands count, all of them: one frame may be judged by any.
        mapping: of the model.
        labels: the model's, in the order of the scores.
        exclusive: as the model is.
        margin: how far a score of 0.5 may be off, above 0. It is taken for a category's score, which is the sum of its
            labels' where these exclude each other: the errors of a softmax's parts offset each other.
    """
    edges: dict[str, set[tuple[float, float]]] = {}
    for policy in document.policies.values():
        for name, category in policy.categories.items():
            edges.setdefault(name, set()).update(_around(edge, margin) for edge in category.bands or ())

    def is_near(scores: Sequence[float]) -> bool:
        judged = category_scores(dict(zip(labels, scores, strict=True)), mapping, exclusive=exclusive)
        return any(low <= score <= high for name, score in judged.items() for low, high in edges.get(name, ()))

    return is_near


def _around(edge: float, margin: float) -> tuple[float, float]:
    """The scores whose log-odds lie as near those of the edge as those of 0.5 + margin, in its tangent, lie to 0."""
    if not 0 < edge < 1:
        return edge, edge
    reach = 4 * margin  # the logistic function rises by a quarter at 0.5
    odds = math.log(edge / (1 - edge))
    return 1 / (1 + math.exp(reach - odds)), 1 / (1 + math.exp(-reach - odds))
