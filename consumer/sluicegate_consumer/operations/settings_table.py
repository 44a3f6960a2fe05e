"""Writes `docs/settings.md` from the settings: `python -m sluicegate_consumer.operations.settings_table`.

With `--check` nothing is written: the exit code is 1 where the file is not what would be written.
"""

import json
import sys
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AnyHttpUrl, BaseModel, SecretStr

from sluicegate_consumer.operations.generated import write_or_check
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.settings_catalogue import Entry, entries

TABLE = Path("docs/settings.md")

HEAD = """# Settings

Generated from `operations/settings.py` by `python -m sluicegate_consumer.operations.settings_table`.

Each setting is read from its variable, or else from the YAML file that `SLUICEGATE_CONFIG` names, where
`batch.max_frames` is the key `max_frames` under `batch`. In a variable, lists and mappings are written as
JSON. An unknown key, a key that is given twice, or an unknown variable that begins with `SLUICEGATE_`, is an
error. `sluicegate check` prints the values in force, secrets masked.
"""
COLUMNS = "| setting | variable | type | default | meaning |\n| --- | --- | --- | --- | --- |"

BOUNDS = (("gt", "over"), ("ge", "at least"), ("lt", "under"), ("le", "at most"))

WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "text, secret",
    AnyHttpUrl: "URL",
    type(None): "",
}


def settings_table(model: type[BaseModel] = Settings) -> str:
    """The whole document, Markdown; one table for each section."""
    sections: dict[str, list[Entry]] = {}
    for entry in entries(model):
        sections.setdefault(entry.path[0] if len(entry.path) > 1 else "", []).append(entry)
    return HEAD + "".join(_section(name, found, model) for name, found in sections.items())


def _section(name: str, found: list[Entry], model: type[BaseModel]) -> str:
    section = model.model_fields[name].annotation if name else None
    heading = f"\n## {name}\n\n{section.__doc__}\n" if section else ""
    return f"{heading}\n{COLUMNS}\n" + "".join(_row(entry) for entry in found)


def _row(entry: Entry) -> str:
    meaning = " ".join((entry.field.description or "").split())
    cells = (f"`{entry.key}`", f"`{entry.variable}`", _type(entry), _default(entry), meaning)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _type(entry: Entry) -> str:
    words = _words(entry.field.annotation)
    bounds = [
        f"{word} {getattr(item, name)}" for item in entry.field.metadata for name, word in BOUNDS if hasattr(item, name)
    ]
    return ", ".join([words, *bounds])


def _words(annotation: Any) -> str:
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Literal:
            return ", ".join(f"`{value}`" for value in arguments)
        case origin if origin in (Union, UnionType):
            return " or ".join(word for part in arguments if (word := _words(part)))
        case origin if origin is tuple:
            return f"list of {_words(arguments[0])}"
        case origin if origin is dict:
            return f"mapping of {_words(arguments[0])} to {_words(arguments[1])}"
        case _:
            return WORDS[annotation]


def _default(entry: Entry) -> str:
    default = entry.field.get_default(call_default_factory=True)
    if default is None:
        return "none"
    return f"`{json.dumps(default, default=str)}`" if not isinstance(default, str) else f"`{default}`"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the table; gives the exit code."""
    return write_or_check(
        arguments,
        text=settings_table(),
        path=TABLE,
        source="the settings",
        module=__spec__.name,
        description=__doc__,
    )


if __name__ == "__main__":
    sys.exit(main())
