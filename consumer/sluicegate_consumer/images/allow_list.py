"""Which URIs may be fetched: those below a prefix that the operator has named. Pure: nothing is looked up."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

from sluicegate_consumer.errors import ConfigurationError

SCHEMES = ("s3", "gs", "az", "http", "https")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Location(NamedTuple):
    """A URI in the form in which two of them can be compared."""

    scheme: str
    host: str
    """Or bucket, or container; lower case."""
    port: int | None
    path: tuple[str, ...]
    """Segments, percent-decoded; the last one is empty where the path ends with a slash."""


def locate(uri: str) -> Location:
    """Where a URI points, without any way of saying the same differently.

    Raises:
        ValueError: it is none, or it holds what only serves to mislead: credentials, a backslash, a control
            character, a dot segment, or an encoded slash.
    """
    if any(character == "\\" or character.isspace() or ord(character) < ord(" ") for character in uri):
        raise ValueError("it holds a backslash, a space or a control character")
    parts = urlsplit(uri)
    if "@" in parts.netloc:
        raise ValueError("it holds credentials")
    segments = tuple(unquote(segment) for segment in parts.path.split("/")[1:])
    if any(segment in {".", ".."} or "/" in segment or "\\" in segment or "\0" in segment for segment in segments):
        raise ValueError("its path holds a dot segment or an encoded slash")
    port = parts.port if parts.port is not None else DEFAULT_PORTS.get(parts.scheme)
    return Location(parts.scheme, (parts.hostname or "").rstrip("."), port, segments)


@dataclass(frozen=True, slots=True)
class AllowList:
    """The prefixes below which images may be fetched."""

    prefixes: tuple[Location, ...]

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> Self:
        """The list that the setting `fetch.allowed_uri_prefixes` describes.

        Raises:
            ConfigurationError: a prefix is no URI, or does not end with a slash, so that more than one host or
                bucket could begin like it.
        """
        return cls(tuple(_prefix(text) for text in prefixes))

    def allows(self, uri: str) -> bool:
        """Whether the URI lies below a prefix: same scheme, host and port, and a path that continues the prefix's."""
        try:
            location = locate(uri)
        except ValueError:
            return False
        return any(_below(location, prefix) for prefix in self.prefixes)


def _below(location: Location, prefix: Location) -> bool:
    if location[:3] != prefix[:3]:
        return False
    above = prefix.path[:-1]
    return len(location.path) > len(above) and location.path[: len(above)] == above


def _prefix(text: str) -> Location:
    key = f"fetch.allowed_uri_prefixes: {text!r}"
    try:
        location = locate(text)
    except ValueError as error:
        raise ConfigurationError(f"{key}: {error}") from error
    if location.scheme not in SCHEMES:
        raise ConfigurationError(f"{key}: must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if not location.host:
        raise ConfigurationError(f"{key}: names no host or bucket")
    if not location.path or location.path[-1]:
        raise ConfigurationError(f"{key}: must end with a slash, as {text}x would else be allowed with it")
    return location
