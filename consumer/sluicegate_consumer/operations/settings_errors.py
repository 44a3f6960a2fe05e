"""What pydantic found wrong with the settings, said so that it can be mended, and without any secret."""

from typing import Any

from pydantic import BaseModel, ValidationError

from sluicegate_consumer.operations.redaction import mask_text
from sluicegate_consumer.operations.settings_catalogue import Entry, entries
from sluicegate_consumer.operations.settings_sources import near


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """One line for each wrong value: its key, its variable, what it is and what would be right."""
    known = {entry.key: entry for entry in entries(model)}
    lines = (_line(details, known) for details in error.errors(include_url=False, include_context=False))
    return "\n".join(["settings:", *(f"  {line}" for line in lines)])


def _line(details: Any, known: dict[str, Entry]) -> str:
    location = tuple(str(part) for part in details["loc"])
    key = ".".join(location)
    if details["type"] == "extra_forbidden":
        return f"{key}: no such setting{near(key, known)}"
    entry = next((known[name] for name in _prefixes(location) if name in known), None)
    if entry is None:
        return f"{key}: {details['msg']}"
    return f"{key} ({entry.variable}): {details['msg']}{_shown(details['input'], entry)}"


def _prefixes(location: tuple[str, ...]) -> list[str]:
    """The key itself, then those around it: an error may lie inside a list or a mapping."""
    return [".".join(location[:length]) for length in range(len(location), 0, -1)]


def _shown(value: object, entry: Entry) -> str:
    if entry.secret:
        return ""
    if isinstance(value, str):
        return f" (is {mask_text(value)!r})"
    return f" (is {value!r})" if isinstance(value, bool | int | float | None) else f" (is a {type(value).__name__})"
