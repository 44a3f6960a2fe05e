"""The policy document as a value: versioned, and checked before it exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sluicegate_consumer.errors import ConfigurationError, SluicegateError
from sluicegate_consumer.policy.mapping import LabelMapping, Labels, match_labels
from sluicegate_consumer.policy.rules import Policy


class UnknownPolicy(SluicegateError):  # noqa: N818 - says what is the case
    """An upload names a policy that the document does not have; the message names those that it has."""


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """What `load_policy` returns: whatever can be checked without a model has been checked."""

    version: str
    digest: str
    """`sha256:` and 64 hexadecimal digits over the content: comments, order and layout do not count,
    nor does the text of prompt files."""
    models: Mapping[str, Labels]
    policies: Mapping[str, Policy]

    def policy(self, name: str) -> Policy:
        """The policy of that name.

        Raises:
            UnknownPolicy: there is none.
        """
        if name not in self.policies:
            raise UnknownPolicy(f"no policy {name!r}; there are {', '.join(self.policies)}")
        return self.policies[name]

    def mapping_for(self, model: str, labels: Sequence[str]) -> LabelMapping:
        """What the labels of a loaded checkpoint mean.

        Args:
            model: the checkpoint's name. One in a directory is known by its labels instead.
            labels: every label that it scores.

        Raises:
            ConfigurationError: a label is not mapped, a mapped label is not the checkpoint's, or some policy
                judges nothing that the checkpoint can see.
        """
        mapping = match_labels(self.models, model, labels)
        seen = {category for category in mapping.labels.values() if category}
        blind = [policy.name for policy in self.policies.values() if seen <= policy.ignored]
        if blind:
            raise ConfigurationError(
                f"policy: policies.{blind[0]}.categories: all that {model} can see is null here "
                f"({', '.join(sorted(seen))}), so nothing could be judged: give one of them bands"
            )
        return mapping
