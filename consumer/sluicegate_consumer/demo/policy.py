"""The policy of a demonstration: the packaged one, impatient, and able to read any checkpoint's labels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import yaml

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.policy.document import PolicyDocument

POLICY = "default"
HARMLESS = frozenset({"normal", "sfw", "safe", "neutral", "drawings", "drawing"})
"""Words for *nothing to see here* among the labels of published checkpoints."""
BANDS = {"approve_below": 0.15, "reject_above": 0.85}

MOST_ASKED_ABOUT = 12
"""Categories that a language model is asked about; a prompt with a thousand of them would not fit its context."""


@dataclass(frozen=True, slots=True)
class DemoPolicy:
    """A policy file and what a reader of the report must know about it."""

    text: str
    """YAML."""
    note: str | None
    """What was made up because the packaged policy does not know the checkpoint; None if nothing was."""


def demo_policy(packaged: PolicyDocument, model: str, labels: Sequence[str]) -> DemoPolicy:
    """The packaged policy, except that nobody waits for a language model that is away.

    For a checkpoint that it does not know, every label that does not sound harmless becomes a category of its own:
    enough to watch any model work, and no basis for judging anybody's images.

    Raises:
        ConfigurationError: no label is left that could be a category.
    """
    document = yaml.safe_load(files("sluicegate_consumer.policy").joinpath("default.yaml").read_text(encoding="utf-8"))
    document["version"] = f"{packaged.version}-demo"
    document["policies"] = {POLICY: document["policies"][POLICY]}
    document["policies"][POLICY]["second_opinion"] |= {"outage": "review", "deadline": "1s"}
    note = None
    if not _knows(packaged, model, labels):
        categories = _categories(labels)
        document["models"] = {model: {label: categories.get(label) for label in labels}}
        document["policies"][POLICY]["categories"] = {
            category: BANDS | {"description": label} for label, category in categories.items()
        }
        if len(categories) > MOST_ASKED_ABOUT:
            document["policies"][POLICY]["second_opinion"] = None
        note = f"the policy does not know {model}: {len(categories)} of its labels count as a category each"
    return DemoPolicy(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), note)


def label_bands(document: PolicyDocument, model: str, labels: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Label to (approve below, reject from), for the labels that alone make up a category of the policy."""
    mapped = document.mapping_for(model, labels).labels
    categories = document.policy(POLICY).categories
    found: dict[str, tuple[float, float]] = {}
    for label, category in mapped.items():
        alone = list(mapped.values()).count(category) == 1
        if category and alone and category in categories and (bands := categories[category].bands):
            found[label] = bands
    return found


def _knows(packaged: PolicyDocument, model: str, labels: Sequence[str]) -> bool:
    try:
        packaged.mapping_for(model, labels)
    except ConfigurationError:
        return False
    return True


def _categories(labels: Sequence[str]) -> Mapping[str, str]:
    """Label to category, for those that do not sound harmless."""
    names = [re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_").lower()[:100] for label in labels]
    found = {
        label: name if name and names.count(name) == 1 else f"label_{number}"
        for number, (label, name) in enumerate(zip(labels, names, strict=True))
        if label.lower() not in HARMLESS
    }
    if not found:
        raise ConfigurationError(f"model: all of its labels sound harmless ({', '.join(labels)}), so it cannot reject")
    return found
