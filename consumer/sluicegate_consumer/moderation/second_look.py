"""Which of a model's scores are computed a second time, exactly: where the model's labels meet the policies' edges."""

from collections.abc import Callable, Sequence

from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.rescoring import IsNear
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.nearness import near_an_edge


def second_look(
    policies: PolicyDocument, card: ModelCard, margin: float, *, counted: Callable[[], None] = lambda: None
) -> IsNear:
    """A function that tells whether a frame's scores lie so near an edge of any policy that an error could matter.

    Args:
        policies: All that may judge a frame.
        card: Of the model.
        margin: How far a score of 0.5 may be off, above 0; see `near_an_edge`.
        counted: Called for each frame that is near, from whichever thread asks.

    Raises:
        ConfigurationError: the policies do not know the model's labels.
    """
    mapping = policies.mapping_for(card.name, card.labels)
    near = near_an_edge(policies, mapping, card.labels, exclusive=card.exclusive, margin=margin)

    def is_near(scores: Sequence[float]) -> bool:
        found = near(scores)
        if found:
            counted()
        return found

    return is_near
