"""A checkpoint's labels, read from its own `config.json`: no order and no meaning is ever assumed."""

from collections.abc import Mapping
from typing import Any

from sluicegate_consumer.errors import ConfigurationError


def read_labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels in the order of the model's outputs, from `id2label`.

    Raises:
        ConfigurationError: `id2label` is missing, has gaps, or names a label twice or not at all.
    """
    id2label = config.get("id2label")
    if not isinstance(id2label, Mapping) or not id2label:
        raise ConfigurationError(
            f"config.json: id2label: is {id2label!r}, should map every output to its label, "
            'for example {"0": "normal", "1": "nsfw"}'
        )
    expected = [str(index) for index in range(len(id2label))]
    if sorted(id2label, key=_index) != expected:
        raise ConfigurationError(f"config.json: id2label: has keys {list(id2label)}, should have {expected}")
    labels = tuple(id2label[index] for index in expected)
    for label in labels:
        if not isinstance(label, str) or not label.strip():
            raise ConfigurationError(f"config.json: id2label: {label!r} is no label, should be text")
        if labels.count(label) > 1:
            raise ConfigurationError(f"config.json: id2label: {label!r} stands for more than one output")
    return labels


def are_placeholders(labels: tuple[str, ...]) -> bool:
    """Whether these are the names that transformers makes up (`LABEL_0`, ...), which nobody chose."""
    return all(label == f"LABEL_{index}" for index, label in enumerate(labels))


def _index(key: str) -> int:
    return int(key) if key.isdecimal() else -1
