"""What one policy asks a language model about: categories and their signs, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError

NONE = "none"
"""What an answer says where it names no category or no sign."""


@dataclass(frozen=True, slots=True)
class CriteriaCategory:
    """One kind of content to look for."""

    name: str
    description: str
    """In words; the name alone if empty."""
    signs: Mapping[str, str]
    """Code of each sign, and what it means in words."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """Everything that a prompt says about one policy.

    Raises:
        ConfigurationError: there is no category, or one of them or of their signs has the name that means "no name".
    """

    policy: str
    categories: tuple[CriteriaCategory, ...]
    template: Path | None = None
    """A prompt template of the policy's own; None: the one that the package carries."""

    def __post_init__(self) -> None:
        if not self.categories:
            raise ConfigurationError(f"policy {self.policy!r}: a second opinion needs at least one category")
        if taken := {NONE} & {*self.signs_of, *self.signs}:
            raise ConfigurationError(
                f"policy {self.policy!r}: {taken.pop()!r} is what a language model answers where it sees nothing: "
                "give the category or sign another name"
            )

    @property
    def signs_of(self) -> dict[str, frozenset[str]]:
        """Each category's name and its signs' codes."""
        return {category.name: frozenset(category.signs) for category in self.categories}

    @property
    def signs(self) -> tuple[str, ...]:
        """The codes of all signs, once each, in the policy's order."""
        return tuple(dict.fromkeys(code for category in self.categories for code in category.signs))
