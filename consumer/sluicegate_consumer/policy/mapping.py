"""What a checkpoint's labels mean to the policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sluicegate_consumer.errors import ConfigurationError

Labels = Mapping[str, str | None]
"""Label of a checkpoint to category; None: the label means nothing harmful."""


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """The labels of one checkpoint and the category of each."""

    entry: str
    """The key under `models` that it was taken from."""
    labels: Labels

    def is_of(self, labels: Sequence[str]) -> bool:
        """Whether these are the checkpoint's labels, each once and in whatever order."""
        return len(labels) == len(self.labels) and self.labels.keys() == set(labels)


def match_labels(models: Mapping[str, Labels], name: str, labels: Sequence[str]) -> LabelMapping:
    """The entry for a checkpoint: the one of its name, else one with exactly its labels.

    A checkpoint in a directory goes by another name than on the hub, hence the second way; it is only taken
    where all entries with these labels agree about them.

    Raises:
        ConfigurationError: there is no entry, there are several that disagree, or the entry of that name has
            other labels than the checkpoint.
    """
    if name in models:
        _require_same(name, models[name], labels)
        return LabelMapping(name, models[name])
    alike = {entry: mapped for entry, mapped in models.items() if set(mapped) == set(labels)}
    if not alike:
        raise ConfigurationError(
            f"policy: models: no entry for {name}, nor one with its labels: add\n"
            f"  {name}: {{{', '.join(f'{label}: CATEGORY or null' for label in labels)}}}"
        )
    entry, mapped = next(iter(alike.items()))
    if any(other != mapped for other in alike.values()):
        raise ConfigurationError(
            f"policy: models: no entry for {name}, and those with its labels disagree ({', '.join(alike)}): "
            f"add one named {name}"
        )
    return LabelMapping(entry, mapped)


def _require_same(name: str, mapped: Labels, labels: Sequence[str]) -> None:
    unmapped = [label for label in labels if label not in mapped]
    absent = [label for label in mapped if label not in labels]
    wrong = [f"the label {label} is not mapped: give it a category, or null if it is harmless" for label in unmapped]
    wrong += [f"the model has no label {label}: remove it (its labels: {', '.join(labels)})" for label in absent]
    if wrong:
        raise ConfigurationError("\n".join(f"policy: models.{name}: {text}" for text in wrong))
