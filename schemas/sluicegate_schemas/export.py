"""The events for every other language: JSON Schema 2020-12 files and an AsyncAPI 3.0 document.

python -m sluicegate_schemas.export DIRECTORY           write them
python -m sluicegate_schemas.export DIRECTORY --check   exit with 1 and name those that differ
"""

import sys
from pathlib import Path
from typing import Any

import orjson
import yaml

from sluicegate_schemas.asyncapi import asyncapi
from sluicegate_schemas.events import Escalation, Event, Review, Upload, Verdict
from sluicegate_schemas.writing import schema_urn

EVENTS: tuple[type[Event], ...] = (Upload, Verdict, Escalation, Review)
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(event: type[Event]) -> dict[str, Any]:
    """What a reader may rely on: fields that it does not know are allowed, and will come."""
    schema = event.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    return {"$schema": DIALECT, "$id": schema_urn(event)} | schema


def file_name(event: type[Event]) -> str:
    """For example `verdict.v1.json`."""
    return f"{event.ce_type.removeprefix('sluicegate.')}.json"


def documents() -> dict[str, bytes]:
    """Every generated file, by its path below the output directory."""
    files = {
        f"json/{file_name(event)}": orjson.dumps(json_schema(event), option=orjson.OPT_INDENT_2) + b"\n"
        for event in EVENTS
    }
    references = {event: f"./json/{file_name(event)}" for event in EVENTS}
    text = yaml.safe_dump(asyncapi(references), sort_keys=False, allow_unicode=True, width=110)
    return files | {"asyncapi.yaml": text.encode()}


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; returns the exit code."""
    directory = Path(next((argument for argument in arguments if not argument.startswith("-")), "schemas"))
    drifted = []
    for name, content in documents().items():
        path = directory / name
        if "--check" in arguments:
            if not path.is_file() or path.read_bytes() != content:
                drifted.append(str(path))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if drifted:
        sys.stderr.write(f"not what the models generate: {', '.join(drifted)}; run `make schemas`\n")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
