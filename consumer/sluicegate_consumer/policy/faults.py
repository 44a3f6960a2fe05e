"""Pydantic's findings in the words of somebody who writes a policy file."""

import difflib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sluicegate_consumer.policy.located import Located, Problem

Model = TypeVar("Model", bound=BaseModel)

_WORDS = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text; put it in quotes",
    "mapping_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "path_type": "must be the path of a file",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least one entry",
    "value_error": "{error}",
}


def validated(model: type[Model], node: Located, problems: list[Problem]) -> Model | None:
    """The node as a `model`; None where it is none, with everything wrong about it added to `problems`."""
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        problems.extend(_problem(model, node, details) for details in error.errors())
        return None


def _problem(model: type[BaseModel], root: Located, details: ErrorDetails) -> Problem:
    node = root.nearest(details["loc"])
    if details["type"] == "missing":
        return Problem(node.line, (*node.path, str(details["loc"][-1])), "is missing")
    if details["type"] == "extra_forbidden":
        return node.problem(_unknown(str(details["loc"][-1]), sorted(_section_at(model, details["loc"]).model_fields)))
    known = _WORDS.get(details["type"])
    words = known.format_map(details.get("ctx", {})) if known else details["msg"]
    whole_section = details["type"] == "value_error" and isinstance(details["input"], Mapping)
    return node.problem(words if whole_section else f"{words} ({_shown(details['input'])})")


def _unknown(key: str, known: list[str]) -> str:
    meant = difflib.get_close_matches(key, known, n=1)
    return "is not a key here; " + (f"did you mean {meant[0]}?" if meant else f"the keys are {', '.join(known)}")


def _section_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The model whose keys stand at `loc`: every field holds at most one kind of section."""
    section = model
    for key in loc[:-1]:
        field = section.model_fields.get(str(key))
        section = (_section_in(field.annotation) if field else None) or section
    return section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "is a mapping"
    if isinstance(value, date):
        return f"is the date {value} to YAML"
    return f"is {json.dumps(value, default=str, ensure_ascii=False)}"
