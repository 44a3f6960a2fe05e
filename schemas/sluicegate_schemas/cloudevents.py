"""Events as Kafka records, after the CloudEvents 1.0 Kafka protocol binding.

Binary mode is written. Binary mode, structured mode and plain JSON without any headers are read.
An image that travels inside its record is the record's value, byte for byte, never base64: an upload's attributes are
then CloudEvents headers, and an escalation or a review is the header `sluicegate_event`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import ValidationError

from sluicegate_schemas.envelope import JSON, SPEC_VERSION, Envelope, open_envelope, parse_object
from sluicegate_schemas.errors import EventError, explained
from sluicegate_schemas.events import Escalation, Event, Review, Upload, Verdict
from sluicegate_schemas.identity import derived_id
from sluicegate_schemas.message import Headers, Message

__all__ = ["EventError", "Received", "read_escalation", "read_review", "read_upload", "read_verdict", "write"]

EVENT_HEADER = "sluicegate_event"
"""Holds the event itself where the value is the image that it is about."""
UNKNOWN_MEDIA_TYPE = "application/octet-stream"
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00 and what later versions keep of it."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


@dataclass(frozen=True, slots=True)
class Received(Generic[AnyEvent]):
    """An event as it was read."""

    event: AnyEvent
    inline: bytes | None
    """The image, where the record carried it."""
    traceparent: str | None
    """The trace that the record belongs to; None also where the header was not valid."""


def write(
    event: Event,
    *,
    source: str,
    inline: bytes | None = None,
    media_type: str | None = None,
    traceparent: str | None = None,
) -> Message:
    """An event as a record, in binary mode, keyed by its upload id.

    Args:
        event: An upload, a verdict, an escalation or a review.
        source: CloudEvents source: who writes it.
        inline: The image; the record's value is then these bytes. Not for verdicts.
        media_type: Of `inline`.
        traceparent: W3C trace context to carry along.

    Raises:
        ValueError: an image with a verdict, or neither an image nor a reference to one.
    """
    upload = event if isinstance(event, Upload | Verdict) else _upload_of(event)
    attributes = _attributes(event, upload, source)
    if inline is None:
        _require_reference(event)
        attributes["dataschema"] = schema_urn(type(event))
        value, content_type = orjson.dumps(event.model_dump()), JSON
    else:
        value, content_type = inline, media_type or UNKNOWN_MEDIA_TYPE
    headers: Headers = tuple((f"ce_{name}", text.encode()) for name, text in attributes.items())
    headers += (("content-type", content_type.encode()),)
    if inline is not None:
        headers += _inline_headers(event)
    if traceparent is not None:
        headers += (("traceparent", traceparent.encode()),)
    return Message(upload.upload_id.encode(), value, headers)


def read_upload(message: Message) -> Received[Upload]:
    """An upload, from whatever a platform publishes with.

    What a plain JSON value does not say is taken from around it: the id from the key, the time from the record.

    Raises:
        EventError: the record is no upload; the message says why.
    """
    envelope = _open(message, Upload)
    if envelope.is_json:
        fields, inline = _with_fallbacks(envelope.object(), envelope, message), None
    else:
        fields = _with_fallbacks({}, envelope, message)
        inline = envelope.data if isinstance(envelope.data, bytes) else None
    upload = _validated(Upload, fields)
    if inline is None and upload.image is None:
        raise EventError("image is missing: a JSON upload must say where its image lies (image.uri)")
    return Received(upload, inline, _traceparent(envelope, message))


def read_verdict(message: Message) -> Verdict:
    """A verdict.

    Raises:
        EventError: the record is none.
    """
    return _validated(Verdict, _open(message, Verdict).object())


def read_escalation(message: Message) -> Received[Escalation]:
    """An escalation, with its image where the record carries it.

    Raises:
        EventError: the record is none.
    """
    return _read_with_image(message, Escalation)


def read_review(message: Message) -> Received[Review]:
    """A review, with its image where the record carries it.

    Raises:
        EventError: the record is none.
    """
    return _read_with_image(message, Review)


def schema_urn(event: type[Event]) -> str:
    """The name of an event's JSON Schema, which is also its `$id`."""
    return f"urn:sluicegate:schema:{event.ce_type.removeprefix('sluicegate.')}"


def _upload_of(event: Event) -> Upload:
    if isinstance(event, Escalation | Review):
        return event.upload
    raise TypeError(f"{type(event).__name__} is no event that travels in a record")


def _attributes(event: Event, upload: Upload | Verdict, source: str) -> dict[str, str]:
    return {
        "specversion": SPEC_VERSION,
        "type": event.ce_type,
        "source": source,
        "id": str(_id_of(event)),
        "time": _time_of(event).astimezone(UTC).isoformat(),
        "subject": upload.upload_id,
    }


def _id_of(event: Event) -> Any:
    if isinstance(event, Verdict):
        return event.verdict_id
    if isinstance(event, Escalation | Review):
        return derived_id(event.ce_type, str(event.verdict.verdict_id))
    upload = event if isinstance(event, Upload) else _upload_of(event)
    return derived_id(event.ce_type, upload.upload_id, upload.uploaded_at.astimezone(UTC).isoformat())


def _time_of(event: Event) -> datetime:
    if isinstance(event, Verdict):
        return event.decided_at
    if isinstance(event, Escalation | Review):
        return event.verdict.decided_at
    return event.uploaded_at if isinstance(event, Upload) else _upload_of(event).uploaded_at


def _require_reference(event: Event) -> None:
    upload = event if isinstance(event, Upload) else getattr(event, "upload", None)
    if upload is not None and upload.image is None:
        raise ValueError(f"upload {upload.upload_id!r} has neither an image reference nor an inline image")


def _inline_headers(event: Event) -> Headers:
    if isinstance(event, Upload):
        return tuple((f"ce_{name}", getattr(event, name).encode()) for name in ("tenant", "surface", "policy"))
    if isinstance(event, Escalation | Review):
        return ((EVENT_HEADER, orjson.dumps(event.model_dump())),)
    raise ValueError(f"{event.ce_type} never carries an image")


def _open(message: Message, expected: type[Event]) -> Envelope:
    envelope = open_envelope(message)
    found = envelope.attributes.get("type", expected.ce_type)
    if found != expected.ce_type:
        raise EventError(f"type is {found!r}: this topic takes {expected.ce_type!r}")
    return envelope


def _read_with_image(message: Message, expected: type[AnyEvent]) -> Received[AnyEvent]:
    envelope = _open(message, expected)
    carried = message.header(EVENT_HEADER)
    if carried is None:
        return Received(_validated(expected, envelope.object()), None, _traceparent(envelope, message))
    event = _validated(expected, parse_object(carried))
    return Received(event, message.value, _traceparent(envelope, message))


def _with_fallbacks(fields: dict[str, Any], envelope: Envelope, message: Message) -> dict[str, Any]:
    around: dict[str, Any] = {
        name: envelope.attributes[name] for name in ("tenant", "surface", "policy") if name in envelope.attributes
    }
    if subject := envelope.attributes.get("subject"):
        around["upload_id"] = subject
    elif message.key is not None:
        around["upload_id"] = message.key.decode(errors="replace")
    if time := envelope.attributes.get("time"):
        around["uploaded_at"] = time
    elif message.timestamp_ms is not None:
        around["uploaded_at"] = datetime.fromtimestamp(message.timestamp_ms / 1000, UTC)
    return around | fields


def _validated(expected: type[AnyEvent], fields: dict[str, Any]) -> AnyEvent:
    try:
        event = expected.model_validate(fields)
    except ValidationError as error:
        raise EventError(f"not a valid {expected.ce_type}: {explained(error)}") from error
    _refuse_credentials(event)
    return event


def _refuse_credentials(event: Event) -> None:
    upload = event if isinstance(event, Upload) else getattr(event, "upload", None)
    if upload is None or upload.image is None:
        return
    try:
        parts = urlsplit(upload.image.uri)
    except ValueError as error:
        raise EventError(f"image.uri is not a URI: {error}") from error
    if "@" in parts.netloc:
        raise EventError("image.uri holds credentials (user@host): give the consumer its own access instead")


def _traceparent(envelope: Envelope, message: Message) -> str | None:
    header = message.header("traceparent")
    found = header.decode(errors="replace") if header is not None else envelope.attributes.get("traceparent")
    return found if found and TRACEPARENT.fullmatch(found) else None
