"""The settings as a list: every key, its variable, and whether its value is secret."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from sluicegate_consumer.operations.redaction import mask_text

PREFIX = "SLUICEGATE_"
DELIMITER = "__"
MASK = "**********"


class Sensitive:
    """Marks a setting whose value is not printed although its type does not say so."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def key(self) -> str:
        """As in the file and in messages: `kafka.bootstrap_servers`."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """As in the environment: `SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS`."""
        return PREFIX + DELIMITER.join(self.path).upper()

    @property
    def secret(self) -> bool:
        """Whether its value must not be printed."""
        annotation = self.field.annotation
        return SecretStr in (annotation, *get_args(annotation)) or Sensitive in self.field.metadata


def entries(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Every setting of `model` and of its sections, in the order in which they are written."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from entries(section, (*path, name))
        else:
            yield Entry((*path, name), field)


def printable(settings: BaseModel) -> dict[str, Any]:
    """Every key with its value as JSON knows it, secrets masked, and what a URL should not carry as well."""
    tree = settings.model_dump(mode="json")
    return {entry.key: _printable(_at(tree, entry.path), entry.secret) for entry in entries(type(settings))}


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def _printable(value: Any, secret: bool) -> Any:
    if isinstance(value, dict):
        return {key: _printable(item, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item, secret) for item in value]
    if secret and value is not None:
        return MASK
    return mask_text(value) if isinstance(value, str) else value
