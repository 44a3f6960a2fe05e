"""Events are written one way and read from whatever platforms publish with."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluicegate_schemas.cloudevents import EventError, read_escalation, read_upload, read_verdict, write
from sluicegate_schemas.envelope import EVENT_HEADER
from sluicegate_schemas.events import (
    Decision,
    Escalation,
    ImageFacts,
    ImageReference,
    PolicyReference,
    Stage,
    Upload,
    Verdict,
)
from sluicegate_schemas.message import Message

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOON_MS = 1_793_534_400_000
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UPLOAD = Upload(
    upload_id="post-17",
    tenant="shop",
    surface="avatar",
    policy="strict",
    uploaded_at=NOON,
    image=ImageReference(uri="s3://images/a.jpg"),
)
INLINE = UPLOAD.model_copy(update={"image": None})
JPEG = b"\xff\xd8\xff\xe0 pixels"
PLAIN = {"image": {"uri": "s3://images/a.jpg"}}


def verdict(**changes: object) -> Verdict:
    fields = {
        "verdict_id": "0e0a4b0e-8a53-5a5e-9d3e-8f2b6a1c7d11",
        "upload_id": "post-17",
        "tenant": "shop",
        "surface": "avatar",
        "uploaded_at": NOON,
        "revision": 1,
        "decision": Decision.APPROVED,
        "stage": Stage.CLASSIFIER,
        "policy": PolicyReference(name="strict", version="7"),
        "image": ImageFacts(sha256="a" * 64),
        "decided_at": NOON,
    }
    return Verdict.model_validate(fields | changes)


def record(value: bytes | None, key: bytes | None = b"post-17", timestamp_ms: int | None = None, **headers: str):
    return Message(key, value, tuple((name, text.encode()) for name, text in headers.items()), timestamp_ms)


def event(value: object, **about: object) -> Message:
    return record(json.dumps(value).encode(), **about)


def test_binary_mode_is_written_with_the_attributes_as_headers():
    message = write(UPLOAD, source="platform", traceparent=TRACE)
    headers = {name: value.decode() for name, value in message.headers}
    assert {
        "ce_specversion": "1.0",
        "ce_type": "sluicegate.upload.v1",
        "ce_source": "platform",
        "ce_time": NOON.isoformat(),
        "ce_subject": "post-17",
        "ce_dataschema": "urn:sluicegate:schema:upload.v1",
        "content-type": "application/json",
        "traceparent": TRACE,
    }.items() <= headers.items()
    assert b"post-17" == message.key
    assert "s3://images/a.jpg" == json.loads(message.value)["image"]["uri"]


def test_what_is_written_is_read_again():
    received = read_upload(write(UPLOAD, source="platform", traceparent=TRACE))
    assert (UPLOAD, None, TRACE) == (received.event, received.inline, received.traceparent)
    assert verdict() == read_verdict(write(verdict(), source="sluicegate"))


def test_the_same_event_written_again_has_the_same_id():
    assert write(UPLOAD, source="a").header("ce_id") == write(UPLOAD, source="a").header("ce_id")


def test_an_inline_image_is_the_value_and_the_rest_is_headers():
    message = write(INLINE, source="platform", inline=JPEG, media_type="image/jpeg")
    assert JPEG == message.value
    received = read_upload(message)
    assert (INLINE, JPEG) == (received.event, received.inline)


def test_an_escalation_without_an_image_is_none():
    message = write(Escalation(upload=UPLOAD, verdict=verdict()), source="sluicegate")
    fields = json.loads(message.value or b"")
    fields["upload"]["image"] = None
    with pytest.raises(EventError, match="there is neither an image nor a reference"):
        read_escalation(replace(message, value=json.dumps(fields).encode()))


def test_an_escalation_with_two_images_is_none():
    message = write(Escalation(upload=INLINE, verdict=verdict()), source="sluicegate", inline=JPEG)
    fields = json.loads(message.header(EVENT_HEADER) or b"")
    fields["upload"]["image"] = {"uri": "s3://images/a.jpg"}
    headers = dict(message.headers) | {EVENT_HEADER: json.dumps(fields).encode()}
    with pytest.raises(EventError, match="there is an image and a reference to one, too"):
        read_escalation(replace(message, headers=tuple(headers.items())))


def test_an_escalation_carries_an_inline_image_on():
    escalation = Escalation(upload=INLINE, verdict=verdict(decision=Decision.ESCALATED))
    message = write(escalation, source="sluicegate", inline=JPEG, media_type="image/jpeg")
    received = read_escalation(message)
    assert (JPEG, escalation, JPEG) == (message.value, received.event, received.inline)


def test_structured_mode_is_read():
    envelope = {
        "specversion": "1.0",
        "type": "sluicegate.upload.v1",
        "source": "platform",
        "id": "1",
        "time": NOON.isoformat(),
        "subject": "post-17",
        "traceparent": TRACE,
        "tenant": "shop",
        "data": PLAIN,
    }
    received = read_upload(event(envelope, key=None, **{"content-type": "application/cloudevents+json; charset=utf-8"}))
    upload = received.event
    assert ("post-17", "shop", NOON, TRACE) == (
        upload.upload_id,
        upload.tenant,
        upload.uploaded_at,
        received.traceparent,
    )


def test_a_structured_event_may_hold_the_image_in_base64():
    envelope = {
        "specversion": "1.0",
        "type": "sluicegate.upload.v1",
        "source": "platform",
        "id": "1",
        "time": NOON.isoformat(),
        "datacontenttype": "image/jpeg",
        "data_base64": base64.b64encode(JPEG).decode(),
    }
    assert JPEG == read_upload(event(envelope, **{"content-type": "application/cloudevents+json"})).inline


def test_plain_json_takes_its_id_from_the_key_and_its_time_from_the_record():
    upload = read_upload(event(PLAIN, timestamp_ms=NOON_MS)).event
    assert ("post-17", NOON, "default", "default") == (
        upload.upload_id,
        upload.uploaded_at,
        upload.tenant,
        upload.policy,
    )


def test_what_the_value_says_counts_before_what_is_around_it():
    said = PLAIN | {"upload_id": "other", "tenant": "mine", "uploaded_at": "2026-11-02T12:00:00+01:00"}
    upload = read_upload(event(said, timestamp_ms=NOON_MS, ce_specversion="1.0", ce_tenant="theirs")).event
    assert ("other", "mine", 11) == (upload.upload_id, upload.tenant, upload.uploaded_at.hour)


def test_fields_of_a_later_version_are_ignored():
    assert read_upload(event(PLAIN | {"mood": "good"}, timestamp_ms=NOON_MS))
    later = json.loads(write(verdict(), source="s").value) | {"new": 1, "reasons": ["unheard_of"]}
    assert ("unheard_of",) == read_verdict(event(later)).reasons


@pytest.mark.parametrize("trace", ["", "garbage", TRACE.upper(), "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
def test_a_broken_trace_is_not_carried_on(trace):
    assert read_upload(event(PLAIN, timestamp_ms=NOON_MS, traceparent=trace)).traceparent is None


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (record(None), "no value"),
        (record(b""), "not JSON"),
        (record(b'{"a": '), "not JSON"),
        (record(b"[1]"), "a list where an object was expected"),
        (record(b"\xff\xd8"), "not JSON"),
        (event({}, timestamp_ms=NOON_MS), r"image is missing: .*image\.uri"),
        (event(PLAIN), "uploaded_at"),
        (event(PLAIN, key=None, timestamp_ms=NOON_MS), "upload_id"),
        (event(PLAIN, key=b"\xff", timestamp_ms=NOON_MS), "the key is not UTF-8: invalid start byte at byte 0"),
        (event(PLAIN, timestamp_ms=10**17), "beyond the year 9999"),
        (event(PLAIN | {"tenant": "a b"}, timestamp_ms=NOON_MS), "tenant"),
        (event(PLAIN | {"uploaded_at": "2026-11-01T12:00:00"}), "uploaded_at"),
        (event({"image": {"uri": "https://me:secret@host/a"}}, timestamp_ms=NOON_MS), "holds credentials"),
        (event(PLAIN, timestamp_ms=NOON_MS, ce_specversion="0.3"), "only CloudEvents 1.0"),
        (event(PLAIN, timestamp_ms=NOON_MS, ce_type="sluicegate.upload.v1"), "specversion is missing: only Cloud"),
        (event(PLAIN, timestamp_ms=NOON_MS, ce_specversion="1.0", ce_type="other"), "this topic takes"),
        (
            event({"specversion": "1.0", "data": 5}, **{"content-type": "application/cloudevents+json"}),
            "data is a number",
        ),
        (
            event({"specversion": "1.0", "data_base64": "%"}, **{"content-type": "application/cloudevents+json"}),
            "not base64",
        ),
    ],
)
def test_what_is_no_upload_says_why_and_quotes_no_secret(message, why):
    with pytest.raises(EventError, match=why) as caught:
        read_upload(message)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "inline"), [(verdict(), JPEG), (INLINE, None), (UPLOAD, JPEG)], ids=["verdict", "neither", "both"]
)
def test_an_event_with_no_image_or_two_is_not_written(written, inline):
    with pytest.raises(ValueError, match="image"):
        write(written, source="s", inline=inline)
