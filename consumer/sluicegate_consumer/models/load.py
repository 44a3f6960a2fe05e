"""From the settings to a classifier that is ready for its first batch."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import structlog

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import Classifier
from sluicegate_consumer.models.engine import open_engine
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.models.labels import are_placeholders
from sluicegate_consumer.models.rescoring import NearEdges
from sluicegate_consumer.operations.settings import ModelSettings
from sluicegate_consumer.pixels import Frame

log = structlog.get_logger()

GREY = 128


def load_classifier(settings: ModelSettings, *, max_batch: int, near: NearEdges | None = None) -> Classifier:
    """The model that the settings name, on its device and warmed up with a full batch of `max_batch` frames.

    Args:
        settings: Of the model.
        max_batch: Frames that go to the device at once.
        near: Which scores are too near an edge to be computed in bfloat16 alone. Without it, and unless the settings
            ask for more speed, all are computed in float32.

    Raises:
        ConfigurationError: the model is not on this disk, has another digest than the settings pin, is not
            supported or does not load, or the device or the runtime is not there.
    """
    started = time.monotonic()
    checkpoint = find_checkpoint(settings.name, settings.cache_dir)
    _check_digest(checkpoint, settings.digest)
    classifier = _open(checkpoint, settings, near, max_batch)
    card = classifier.card
    if are_placeholders(card.labels):
        log.warning("model.labels_are_placeholders", model=card.name, labels=card.labels)
    if card.device == "cpu" and settings.device == "auto":
        log.warning("model.on_cpu", model=card.name, why="no CUDA device that this runtime can use")
    log.info(
        "model.loaded",
        model=card.name,
        digest=card.digest,
        labels=card.labels,
        device=card.device,
        runtime=card.runtime,
        precision=card.precision,
        seconds=round(time.monotonic() - started, 1),
    )
    return classifier


def _check_digest(checkpoint: Checkpoint, pinned: str | None) -> None:
    if pinned is not None and pinned != checkpoint.digest:
        raise ConfigurationError(
            f"model.digest: is {pinned}, but the model {checkpoint.name!r} on this disk has {checkpoint.digest}"
        )


def _open(checkpoint: Checkpoint, settings: ModelSettings, near: NearEdges | None, max_batch: int) -> Classifier:
    runtime: str = checkpoint.runtime
    try:
        classifier = open_engine(checkpoint, settings, near, max_batch)
        runtime = classifier.card.runtime
        _warm_up(classifier, max_batch)
    except ConfigurationError:
        raise
    except Exception as error:
        # The runtimes raise what they like; whatever it is, this model cannot serve here.
        raise ConfigurationError(f"model {checkpoint.name!r}: {runtime} cannot load it: {error}") from error
    return classifier


def _warm_up(classifier: Classifier, max_batch: int) -> None:
    """Score one full batch in each lane: the first real ones need not wait for kernels and memory, and scores fit."""
    card = classifier.card
    frame: Frame = np.full((card.geometry.height, card.geometry.width, 3), GREY, np.uint8)
    with ThreadPoolExecutor(card.lanes) as threads:
        scores, *_ = threads.map(classifier.classify, [[frame] * max_batch] * card.lanes)
    if scores.shape != (max_batch, len(card.labels)):
        raise ConfigurationError(
            f"model {card.name!r}: gives {scores.shape[-1]} scores for each image, "
            f"but config.json names {len(card.labels)} labels"
        )
    if not np.isfinite(scores).all():
        raise ConfigurationError(f"model {card.name!r}: gives scores that are no numbers on {card.device}")
