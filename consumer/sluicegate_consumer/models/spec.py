"""Everything that a checkpoint's files say about using its weights. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.labels import read_labels
from sluicegate_consumer.models.preprocessing import Normalisation, read_geometry, read_normalisation
from sluicegate_consumer.pixels import Geometry


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What goes in and how to read what comes out."""

    labels: tuple[str, ...]
    """In the order of the outputs."""
    geometry: Geometry
    normalisation: Normalisation
    exclusive: bool
    """True: softmax. False: sigmoid."""
    gives_logits: bool = True
    """False: the outputs are scores already."""


def read_spec(config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> ModelSpec:
    """From the contents of `config.json` and `preprocessor_config.json`.

    One output, or the problem type `multi_label_classification`, means sigmoid, anything else softmax: the
    rule of transformers' own image classification pipeline.

    Raises:
        ConfigurationError: a key is missing or asks for what is not supported; the message names it.
    """
    labels = read_labels(config)
    problem = config.get("problem_type")
    if problem == "regression":
        raise ConfigurationError("config.json: problem_type: is 'regression', should be a classification")
    return ModelSpec(
        labels=labels,
        geometry=read_geometry(preprocessor),
        normalisation=read_normalisation(preprocessor),
        exclusive=problem != "multi_label_classification" and len(labels) > 1,
    )
