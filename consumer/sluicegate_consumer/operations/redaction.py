"""What must never be seen outside, taken out of what is about to be shown: logs, messages, printed settings.

What is not known to be harmless is shown by its type alone, so that a new value cannot leak by being new.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import PurePath
from uuid import UUID

REDACTED = "[redacted]"

CONTENT_KEYS = frozenset({"image", "data", "value", "body", "payload", "jpeg", "caption", "prompt", "response"})
"""Names under which an upload, or what was said about it, could travel."""

SECRET_WORDS = (
    "password",
    "passwd",
    "secret",
    "sasl",
    "authorization",
    "credential",
    "api_key",
    "access_key",
)
"""A key that contains one of these holds a credential, whatever else its name says."""

_USERINFO = re.compile(r"(?<=://)(?:[^\s/?#@]*|[^\s/?#@:]*:(?!\d+(?:[/?#\s]|$))[^\s@]*)@")
"""Up to the `@` of the authority; a password with an unescaped slash in it ends there too."""

_QUERY = re.compile(r"(://[^\s?#'\"<>]*)[?#][^\s'\"<>]*")
"""Signed URIs carry their signature in the query, under names that differ by store: all of it goes."""

_BYTES_LITERAL = re.compile(r"""\bb(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")


def mask_text(text: str) -> str:
    """The same text, URIs without userinfo, query and fragment, bytes literals without their bytes."""
    if "://" in text:
        text = _QUERY.sub(r"\1?***", _USERINFO.sub("***@", text))
    return _BYTES_LITERAL.sub("<bytes>", text)


def redact(value: object, key: str = "") -> object:
    """A value that may be shown: scalars and containers of them, all else replaced by a placeholder."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if _is_hidden(key):
        return REDACTED
    return _shown(value)


def _is_hidden(key: str) -> bool:
    name = key.lower().replace("-", "_")
    return name in CONTENT_KEYS or any(word in name for word in SECRET_WORDS)


def _shown(value: object) -> object:
    match value:
        case str() | date() | timedelta() | UUID() | PurePath():
            return mask_text(str(value))
        case BaseException():
            return f"{type(value).__name__}: {mask_text(str(value))}"
        case Mapping():
            return {mask_text(str(name)): redact(item, str(name)) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(item) for item in value]
        case _:
            return f"<{type(value).__name__}>"
