"""From a record to its event, whatever mode it was published in."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from sluicegate_schemas.envelope import EVENT_HEADER, Envelope, open_envelope, parse_object
from sluicegate_schemas.errors import EventError, explained, shortened
from sluicegate_schemas.events import Escalation, Event, Review, Upload, Verdict
from sluicegate_schemas.message import Message

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00 and what later versions keep of it."""

AnyEvent = TypeVar("AnyEvent", bound=Event)
OnAnUpload = TypeVar("OnAnUpload", Escalation, Review)


@dataclass(frozen=True, slots=True)
class Received(Generic[AnyEvent]):
    """An event as it was read."""

    event: AnyEvent
    inline: bytes | None
    """The image, where the record carried it."""
    traceparent: str | None
    """The trace that the record belongs to; None also where the header was not valid."""


def read_upload(message: Message) -> Received[Upload]:
    """An upload, from whatever a platform publishes with.

    What the value does not say is taken from around it: tenant, surface and policy from the CloudEvents attributes,
    the id from the key or else the subject, the time from the attributes or else from the record.

    Raises:
        EventError: the record is no upload; the message says why.
    """
    envelope = _open(message, Upload)
    fields = envelope.object() if envelope.is_json else {}
    upload = _validated(Upload, _around(envelope, message) | fields)
    inline = envelope.data if isinstance(envelope.data, bytes) and not envelope.is_json else None
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


def _open(message: Message, expected: type[Event]) -> Envelope:
    envelope = open_envelope(message)
    found = envelope.attributes.get("type", expected.ce_type)
    if found != expected.ce_type:
        raise EventError(f"type is {shortened(found)}: this topic takes {expected.ce_type!r}")
    return envelope


def _read_with_image(message: Message, expected: type[OnAnUpload]) -> Received[OnAnUpload]:
    envelope = _open(message, expected)
    carried = message.header(EVENT_HEADER)
    if carried is None:
        event, inline = _validated(expected, envelope.object()), None
    else:
        event, inline = _validated(expected, parse_object(carried, f"the header {EVENT_HEADER}")), message.value
    if (event.upload.image is None) == (inline is None):
        found = "neither an image nor a reference to one" if inline is None else "an image and a reference to one, too"
        raise EventError(f"not a valid {expected.ce_type}: there is {found}")
    return Received(event, inline, _traceparent(envelope, message))


def _around(envelope: Envelope, message: Message) -> dict[str, Any]:
    attributes = envelope.attributes
    found = {name: attributes.get(name) for name in ("tenant", "surface", "policy")}
    found["upload_id"] = _key(message) or attributes.get("subject")
    time = attributes.get("time") or _record_time(message)
    return {name: value for name, value in (found | {"uploaded_at": time}).items() if value is not None}


def _key(message: Message) -> str | None:
    try:
        return message.key.decode() if message.key is not None else None
    except UnicodeDecodeError as error:
        raise EventError(f"the key is not UTF-8: {error.reason} at byte {error.start}") from error


def _record_time(message: Message) -> datetime | None:
    if message.timestamp_ms is None or message.timestamp_ms < 0:  # Kafka's own sign for none is -1
        return None
    try:
        return EPOCH + timedelta(milliseconds=message.timestamp_ms)
    except OverflowError as error:
        raise EventError(f"the record's timestamp is {message.timestamp_ms} ms: beyond the year 9999") from error


def _validated(expected: type[AnyEvent], fields: dict[str, Any]) -> AnyEvent:
    try:
        return expected.model_validate(fields)
    except ValidationError as error:
        raise EventError(f"not a valid {expected.ce_type}: {explained(error)}") from error


def _traceparent(envelope: Envelope, message: Message) -> str | None:
    header = message.header("traceparent")
    found = header.decode(errors="replace") if header is not None else envelope.attributes.get("traceparent")
    return found if found and TRACEPARENT.fullmatch(found) else None
