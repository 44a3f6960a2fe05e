"""Records as earlier releases wrote them: each must be read for as long as its major version lives.

A record is never changed here. A release that writes something new adds its own.
"""

import base64
import json
from pathlib import Path

import pytest

from sluicegate_schemas.cloudevents import read_escalation, read_review, read_upload, read_verdict
from sluicegate_schemas.message import Message

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"
READ = {
    "upload": lambda message: read_upload(message).event,
    "verdict": read_verdict,
    "escalation": lambda message: read_escalation(message).event,
    "review": lambda message: read_review(message).event,
}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_record_of_an_earlier_release_reads_as_it_did(path):
    golden = json.loads(path.read_text())
    record = golden["record"]
    message = Message(
        base64.b64decode(record["key"]),
        base64.b64decode(record["value"]),
        tuple((name, value.encode()) for name, value in record["headers"]),
        record["timestamp_ms"],
    )
    read = READ[path.stem.partition("-")[0]](message).model_dump(mode="json")
    assert golden["reads_as"] == {name: read[name] for name in golden["reads_as"]}


def test_every_kind_of_event_is_among_them():
    assert set(READ) == {path.stem.partition("-")[0] for path in GOLDEN.glob("*.json")}
