"""The AsyncAPI 3.0 document: which channel carries what, with which headers and which key."""

from collections.abc import Mapping
from typing import Any

from sluicegate_schemas.envelope import EVENT_HEADER
from sluicegate_schemas.events import Escalation, Event, Review, Upload, Verdict
from sluicegate_schemas.topics import Topics

KAFKA_BINDING = "0.5.0"
TEXT = {"type": "string"}
UPLOAD_ID = {"type": "string", "description": "The upload id, UTF-8."}
CLOUDEVENT_HEADERS = {
    "ce_specversion": {"const": "1.0"},
    "ce_source": TEXT | {"description": "Who wrote it."},
    "ce_id": TEXT | {"description": "Deterministic: the same event written again has the same id."},
    "ce_time": TEXT | {"format": "date-time"},
    "ce_subject": TEXT | {"description": "The upload id."},
    "ce_dataschema": TEXT | {"description": "The `$id` of the payload's JSON Schema."},
    "traceparent": TEXT | {"description": "W3C trace context, carried from the upload to its verdicts."},
}
DEAD_LETTER_HEADERS = {
    "topic": "Where the record came from.",
    "partition": "Its partition there.",
    "offset": "Its offset there.",
    "timestamp": "Its timestamp there, milliseconds since the epoch; empty if it had none.",
    "stage": "The step that failed: read, fetch, decode, classify.",
    "exception.class.name": "The kind of failure.",
    "exception.message": "What was wrong; at most 1000 characters.",
    "attempts": "How often the step was tried.",
}
PURPOSE = {
    "uploads": "Platforms publish here: a user has uploaded an image.",
    "verdicts": "Services subscribe here. Compacted, keyed by upload id. Of several verdicts for an id that of the "
    "latest uploaded_at holds, then that of the highest revision; and it holds for the bytes of image.sha256 alone.",
    "escalations": "From the first tier to the second: images that the classifier could not decide.",
    "reviews": "What a human must decide.",
    "deadLetters": "Records that could not be processed, byte for byte, to be looked at and replayed.",
}


def asyncapi(schemas: Mapping[type[Event], str]) -> dict[str, Any]:
    """The document.

    Args:
        schemas: Where the JSON Schema of each event lies, relative to the document.
    """
    messages = _messages(schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "sluicegate",
            "version": "1.0.0",
            "description": "Image moderation: upload events in, verdict events out. Records follow the CloudEvents 1.0 "
            "Kafka protocol binding: binary mode is written; binary mode, structured mode and plain JSON are read.",
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": {
            "publishUpload": _operation("receive", "uploads"),
            "subscribeToVerdicts": _operation("send", "verdicts"),
            "subscribeToReviews": _operation("send", "reviews"),
        },
        "components": {"messages": messages},
    }


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _channels() -> dict[str, Any]:
    topics = Topics()
    carried = {
        "uploads": (topics.uploads, ("uploadByReference", "uploadInline")),
        "verdicts": (topics.verdicts, ("verdict",)),
        "escalations": (topics.escalations, ("escalationByReference", "escalationInline")),
        "reviews": (topics.reviews, ("reviewByReference", "reviewInline")),
        "deadLetters": (topics.dead_letters, ("deadLetter",)),
    }
    return {
        channel: {
            "address": address,
            "description": PURPOSE[channel],
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            "bindings": {"kafka": _topic(channel, address)},
        }
        for channel, (address, messages) in carried.items()
    }


def _topic(channel: str, address: str) -> dict[str, Any]:
    policy = ["compact"] if channel == "verdicts" else ["delete"]
    return {"topic": address, "topicConfiguration": {"cleanup.policy": policy}, "bindingVersion": KAFKA_BINDING}


def _messages(schemas: Mapping[type[Event], str]) -> dict[str, Any]:
    inline_upload = dict.fromkeys(("ce_tenant", "ce_surface", "ce_policy"), TEXT)
    inline_event = {EVENT_HEADER: TEXT | {"description": "The event as JSON, in the schema of the by-reference form."}}
    return {
        "uploadByReference": _by_reference(Upload, schemas),
        "uploadInline": _inline(Upload, inline_upload),
        "verdict": _by_reference(Verdict, schemas),
        "escalationByReference": _by_reference(Escalation, schemas),
        "escalationInline": _inline(Escalation, inline_event),
        "reviewByReference": _by_reference(Review, schemas),
        "reviewInline": _inline(Review, inline_event),
        "deadLetter": _dead_letter(),
    }


def _by_reference(event: type[Event], schemas: Mapping[type[Event], str]) -> dict[str, Any]:
    return {
        "name": event.ce_type,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _headers(event, {}),
        "payload": {"$ref": schemas[event]},
        "bindings": _keyed(),
    }


def _inline(event: type[Event], added: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{event.ce_type} (inline)",
        "summary": "The record's value is the image itself, byte for byte; its media type is the header content-type.",
        "contentType": "application/octet-stream",
        "headers": _headers(event, added),
        "payload": {"type": "string", "format": "binary"},
        "bindings": _keyed(),
    }


def _headers(event: type[Event], added: dict[str, Any]) -> dict[str, Any]:
    properties = {"ce_type": {"const": event.ce_type}} | CLOUDEVENT_HEADERS | added
    return {"type": "object", "properties": properties, "required": ["ce_specversion", "ce_type", "ce_source", "ce_id"]}


def _keyed() -> dict[str, Any]:
    return {"kafka": {"key": UPLOAD_ID, "bindingVersion": KAFKA_BINDING}}


def _dead_letter() -> dict[str, Any]:
    headers = {
        f"__connect.errors.{name}": TEXT | {"description": meaning} for name, meaning in DEAD_LETTER_HEADERS.items()
    }
    return {
        "name": "dead letter",
        "summary": "Key, value and headers of the record as they were; these headers are added behind its own.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
        "payload": {"type": "string", "format": "binary"},
    }
