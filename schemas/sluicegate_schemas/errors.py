"""What a record can be that is not an event."""

from pydantic import ValidationError

LONGEST = 80


class EventError(ValueError):
    """A record that cannot be read as an event: the message names the key, the value and what would be right."""


def shortened(value: object) -> str:
    """A value for a message: never long, never an image's bytes, never a URI, which may hold credentials."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str) and "//" in value:
        return f"a URI of {len(value)} characters"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def explained(error: ValidationError) -> str:
    """All that is wrong with an event, in one line."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc']))} is {shortened(fault['input'])}: {fault['msg']}"
        if fault["type"] != "missing"
        else f"{'.'.join(map(str, fault['loc']))} is missing"
        for fault in error.errors(include_url=False)
    )
