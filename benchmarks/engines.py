"""The model as fast as it gets here, whatever its scores are worth."""

from sluicegate_consumer.models.classifier import Classifier, ModelCard
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.rescoring import IsNear
from sluicegate_consumer.operations.settings import ModelSettings


def fastest(settings: ModelSettings, max_batch: int) -> Classifier:
    """The engine that the service would choose, in its fast precision, without a second look at scores near an edge."""
    return load_classifier(settings, max_batch=max_batch, near=_never)


def _never(_card: ModelCard, _margin: float) -> IsNear:
    return lambda _scores: False
