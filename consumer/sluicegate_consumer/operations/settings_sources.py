"""Where settings come from, one file and the environment, and what can be wrong with either."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin

import orjson
import yaml
from pydantic import BaseModel

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.settings_catalogue import DELIMITER, PREFIX, Entry, entries
from sluicegate_consumer.operations.settings_yaml import FaultyYAML, parse

FILE_VARIABLE = "SLUICEGATE_CONFIG"

_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$")
"""Variables that Kubernetes makes for a Service whose name happens to begin with ours."""


def read_file(path: Path) -> dict[str, Any]:
    """The settings in a YAML file; an empty file holds none.

    Raises:
        ConfigurationError: it cannot be read, or is not a mapping in YAML with each key once; the message quotes no
            line of it, since a line may hold a password.
    """
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except FaultyYAML as error:
        raise ConfigurationError("\n".join(f"{FILE_VARIABLE}={path}: {fault}" for fault in error.faults)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigurationError(f"{FILE_VARIABLE}={path}: {place}not valid YAML") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError(f"{FILE_VARIABLE}={path}: not valid YAML in UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{FILE_VARIABLE}={path}: cannot be read: {error.strerror}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{FILE_VARIABLE}={path}: must hold a mapping of settings, not a {type(content).__name__}"
        )
    return content


def check_environment(environ: Mapping[str, str], model: type[BaseModel]) -> None:
    """See that every variable with our prefix is a setting, and that lists and mappings are written as JSON.

    Raises:
        ConfigurationError: naming each one that is not; values are not quoted.
    """
    known = {entry.variable: entry for entry in entries(model)}
    ours = {name.upper(): value for name, value in environ.items() if name.upper().startswith(PREFIX)}
    problems = [problem for name, value in ours.items() if (problem := _problem(name, value, known))]
    if problems:
        raise ConfigurationError("\n".join(["settings:", *(f"  {problem}" for problem in sorted(problems))]))


def near(name: str, known: Collection[str]) -> str:
    """`; did you mean ...?` where a known name is near, else nothing."""
    nearest = get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _problem(name: str, value: str, known: Mapping[str, Entry]) -> str | None:
    if name == FILE_VARIABLE or _is_service_link(name, value):
        return None
    entry = known.get(name)
    if entry is None:
        inside_mapping = any(name.startswith(v + DELIMITER) and _shape(e) is dict for v, e in known.items())
        return None if inside_mapping else f"{name}: no such setting{near(name, known)}"
    if (shape := _shape(entry)) is None:
        return None
    example = '{"name": "value"}' if shape is dict else '["first", "second"]'
    return None if _is_json(value, shape) else f"{name}: must be written as JSON, like {example}"


def _is_service_link(name: str, value: str) -> bool:
    named_so = _SERVICE_LINK.search(name) or (name.endswith("_PORT") and "://" in value)
    return bool(named_so) and DELIMITER not in name


def _shape(entry: Entry) -> type | None:
    shapes: dict[Any, type] = {tuple: list, dict: dict}
    return shapes.get(get_origin(entry.field.annotation))


def _is_json(value: str, shape: type) -> bool:
    try:
        return isinstance(orjson.loads(value), shape)
    except orjson.JSONDecodeError:
        return False
