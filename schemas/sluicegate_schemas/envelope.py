"""The three forms in which an event may arrive, brought to one: attributes, data, and what the data is."""

import base64
from dataclasses import dataclass
from typing import Any

import orjson

from sluicegate_schemas.errors import EventError, shortened
from sluicegate_schemas.message import Message

SPEC_VERSION = "1.0"
STRUCTURED = "application/cloudevents+json"
JSON = "application/json"
EVENT_HEADER = "sluicegate_event"
"""Holds the event itself where the value is the image that it is about."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event, opened but not read yet."""

    attributes: dict[str, str]
    """CloudEvents attributes by name, extensions among them; empty where the record is no CloudEvent."""
    data: bytes | dict[str, Any]
    """Bytes as they came, or the object inside a structured event."""
    media_type: str
    """Of the data, without parameters."""

    @property
    def is_json(self) -> bool:
        """Whether the data is a JSON document, and not an image."""
        return isinstance(self.data, dict) or self.media_type == JSON or self.media_type.endswith("+json")

    def object(self) -> dict[str, Any]:
        """The data as a JSON object.

        Raises:
            EventError: it is none.
        """
        return self.data if isinstance(self.data, dict) else parse_object(self.data, "the value")


def open_envelope(message: Message) -> Envelope:
    """Tell binary mode, structured mode and a plain value apart.

    Raises:
        EventError: there is no value, or it is a CloudEvent of another specification, or a broken one.
    """
    if message.value is None:
        raise EventError("the record has no value: a tombstone, where an event was expected")
    content_type = _media_type(_text("content-type", message.header("content-type")))
    if content_type == STRUCTURED:
        return _structured(parse_object(message.value, "the value"))
    attributes = {
        name.removeprefix("ce_"): _text(name, value) for name, value in message.headers if name.startswith("ce_")
    }
    if attributes:
        _require_version(attributes)
    return Envelope(attributes, message.value, content_type or JSON)


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        EventError: the bytes, which are `what`, are not JSON, or not an object.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise EventError(f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise EventError(f"{what} is JSON, but {_kind(value)} where an object was expected")
    return value


def _structured(event: dict[str, Any]) -> Envelope:
    data = event.pop("data", None)
    encoded = event.pop("data_base64", None)
    attributes = {name: value for name, value in event.items() if isinstance(value, str)}
    _require_version(attributes)
    media_type = _media_type(attributes.get("datacontenttype", JSON))
    if isinstance(encoded, str):
        return Envelope(attributes, _decoded(encoded), media_type)
    if isinstance(data, dict):
        return Envelope(attributes, data, media_type)
    raise EventError(f"data is {_kind(data)}: an object was expected, or data_base64")


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise EventError(f"data_base64 is not base64: {error}") from error


def _require_version(attributes: dict[str, str]) -> None:
    version = attributes.get("specversion")
    if version != SPEC_VERSION:
        found = "missing" if version is None else shortened(version)
        raise EventError(f"specversion is {found}: only CloudEvents {SPEC_VERSION} can be read")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _text(name: str, value: bytes | None) -> str:
    try:
        return (value or b"").decode()
    except UnicodeDecodeError as error:
        raise EventError(f"the header {name} is not UTF-8: {error.reason} at byte {error.start}") from error


def _kind(value: object) -> str:
    """The kind of a JSON value, for a message: the value itself may be an image as text."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
