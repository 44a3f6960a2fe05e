"""What a subscriber in another language is given: valid schemas, and they are what the models say."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from test_cloudevents import UPLOAD, verdict

from sluicegate_schemas.events import Escalation, Event, Review
from sluicegate_schemas.export import EVENTS, documents, json_schema, main

COMMITTED = Path(__file__).parents[3] / "schemas"
EXAMPLES: list[Event] = [
    UPLOAD,
    verdict(),
    Escalation(upload=UPLOAD, verdict=verdict()),
    Review(upload=UPLOAD, verdict=verdict()),
]


def test_the_committed_files_are_what_the_models_generate():
    assert 0 == main([str(COMMITTED), "--check"])


def test_a_file_that_differs_or_lacks_is_named(tmp_path, capsys):
    assert 0 == main([str(tmp_path)])
    (tmp_path / "json" / "verdict.v1.json").write_text("{}")
    (tmp_path / "asyncapi.yaml").unlink()
    assert 1 == main([str(tmp_path), "--check"])
    said = capsys.readouterr().err
    assert "verdict.v1.json" in said
    assert "asyncapi.yaml" in said
    assert "upload.v1.json" not in said


@pytest.mark.parametrize("event", EVENTS)
def test_a_schema_is_valid_and_names_itself(event):
    schema = json_schema(event)
    Draft202012Validator.check_schema(schema)
    assert f"urn:sluicegate:schema:{event.ce_type.removeprefix('sluicegate.')}" == schema["$id"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.ce_type)
def test_a_schema_accepts_what_is_written_and_fields_of_later_versions(example):
    validator = Draft202012Validator(json_schema(type(example)))
    written = json.loads(example.model_dump_json())
    validator.validate(written)
    validator.validate(written | {"from_the_future": 1})
    assert not validator.is_valid({})


def test_the_asyncapi_document_names_every_channel_and_its_references_lead_somewhere():
    files = documents()
    document = yaml.safe_load(files["asyncapi.yaml"])
    assert document["asyncapi"].startswith("3.0")
    registry = Registry().with_resources(
        (f"./{name}", Resource.opaque(json.loads(content))) for name, content in files.items() if name.endswith(".json")
    )
    found = list(references(document))
    assert found
    for reference in found:
        if reference.startswith("#/"):
            target = document
            for part in reference[2:].split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
        else:
            assert registry.get(reference.partition("#")[0]) is not None, reference
    assert {"sluicegate.uploads", "sluicegate.verdicts", "sluicegate.escalations", "sluicegate.reviews"} <= {
        channel["address"] for channel in document["channels"].values()
    }


def references(node: object):
    """Every `$ref` of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
