"""The model as fast as it gets here."""

from functools import partial

from sluicegate_consumer.models.classifier import Classifier, ModelCard
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.rescoring import IsNear
from sluicegate_consumer.moderation.second_look import second_look as scores_looked_at_twice
from sluicegate_consumer.operations.settings import ModelSettings
from sluicegate_consumer.policy.load import load_policy


def fastest(settings: ModelSettings, max_batch: int, *, second_look: bool = False) -> Classifier:
    """The engine that the service would choose, in its fast precision.

    Args:
        settings: of the model.
        max_batch: frames of a batch.
        second_look: as the service takes it, in float32 at scores near an edge of the policy. Without it the scores
            are good enough for a measurement of speed, and not for a decision.
    """
    near = partial(scores_looked_at_twice, load_policy(None)) if second_look else _never
    return load_classifier(settings, max_batch=max_batch, near=near)


def _never(_card: ModelCard, _margin: float) -> IsNear:
    return lambda _scores: False
