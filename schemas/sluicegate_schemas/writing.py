"""From an event to its record, in CloudEvents' binary mode."""

from datetime import datetime
from functools import cache, lru_cache

import orjson

from sluicegate_schemas.envelope import EVENT_HEADER, JSON, SPEC_VERSION
from sluicegate_schemas.events import Escalation, Event, Review, Upload, Verdict
from sluicegate_schemas.identity import derived_id
from sluicegate_schemas.message import Headers, Message

UNKNOWN_MEDIA_TYPE = "application/octet-stream"


def write(
    event: Event,
    *,
    source: str,
    inline: bytes | None = None,
    media_type: str | None = None,
    traceparent: str | None = None,
) -> Message:
    """An event as a record, keyed by its upload id.

    Args:
        event: An upload, a verdict, an escalation or a review.
        source: CloudEvents source: who writes it.
        inline: The image; the record's value is then these bytes. Not for verdicts.
        media_type: Of `inline`.
        traceparent: W3C trace context to carry along.

    Raises:
        ValueError: an image with a verdict, or neither an image nor a reference to one, or both.
    """
    upload_id, time, event_id = _identity(event)
    _require_one_image(event, inline)
    key = upload_id.encode()
    headers = (
        *_always(type(event), source),
        ("ce_id", event_id.encode()),
        ("ce_time", time.isoformat().encode()),
        ("ce_subject", key),
        *(_of_json(type(event)) if inline is None else _encoded(_of_image(event, media_type))),
    )
    if traceparent is not None:
        headers += (("traceparent", traceparent.encode()),)
    return Message(key, _json(event) if inline is None else inline, headers)


def schema_urn(event: type[Event]) -> str:
    """The name of an event's JSON Schema, which is also its `$id`."""
    return f"urn:sluicegate:schema:{event.ce_type.removeprefix('sluicegate.')}"


def _identity(event: Event) -> tuple[str, datetime, str]:
    """Upload id, time and CloudEvents id: the same event written again has the same three."""
    match event:
        case Upload():
            event_id = derived_id(event.ce_type, event.upload_id, event.uploaded_at.isoformat())
            return event.upload_id, event.uploaded_at, str(event_id)
        case Verdict():
            return event.upload_id, event.decided_at, str(event.verdict_id)
        case Escalation() | Review():
            event_id = derived_id(event.ce_type, str(event.verdict.verdict_id))
            return event.upload.upload_id, event.verdict.decided_at, str(event_id)
        case _:
            raise TypeError(f"{type(event).__name__} is no event that travels in a record")


def _require_one_image(event: Event, inline: bytes | None) -> None:
    if isinstance(event, Verdict):
        if inline is not None:
            raise ValueError(f"{event.ce_type} never carries an image")
        return
    upload = event.upload if isinstance(event, Escalation | Review) else event
    if not isinstance(upload, Upload):
        return
    if inline is None and upload.image is None:
        raise ValueError(f"upload {upload.upload_id!r} has neither an image reference nor an inline image")
    if inline is not None and upload.image is not None:
        raise ValueError(f"upload {upload.upload_id!r} has both an image reference and an inline image")


@lru_cache(maxsize=64)
def _always(event: type[Event], source: str) -> Headers:
    return _encoded({"ce_specversion": SPEC_VERSION, "ce_type": event.ce_type, "ce_source": source})


@cache
def _of_json(event: type[Event]) -> Headers:
    return _encoded({"ce_dataschema": schema_urn(event), "content-type": JSON})


def _of_image(event: Event, media_type: str | None) -> dict[str, str]:
    found = {"content-type": media_type or UNKNOWN_MEDIA_TYPE}
    if isinstance(event, Upload):
        return found | {"ce_tenant": event.tenant, "ce_surface": event.surface, "ce_policy": event.policy}
    return found | {EVENT_HEADER: _json(event).decode()}


def _json(event: Event) -> bytes:
    return orjson.dumps(event.model_dump())


def _encoded(headers: dict[str, str]) -> Headers:
    return tuple((name, text.encode()) for name, text in headers.items())
