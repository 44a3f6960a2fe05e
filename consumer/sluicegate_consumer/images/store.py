"""What each kind of store does for the fetcher, and how much of it is read."""

from collections.abc import AsyncIterator
from typing import Protocol
from urllib.parse import urlsplit

from sluicegate_consumer.errors import Unprocessable
from sluicegate_schemas.events import Reason


class Store(Protocol):
    """One attempt at the bytes behind a URI.

    Raises:
        Unprocessable: they are missing, too large, or may not be fetched.
        Transient: another attempt may succeed.
    """

    async def read(self, uri: str, max_bytes: int) -> bytes:
        """All bytes, or none: never more than `max_bytes` are held."""

    async def close(self) -> None:
        """Give connections back."""


async def read_within(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    """Join what is streamed, and stop as soon as it is too much, whatever length was announced."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        require_size(size, max_bytes)
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def require_size(size: int, max_bytes: int) -> None:
    """Refuse what is too large, as soon as that is known."""
    if size > max_bytes:
        raise Unprocessable(Reason.IMAGE_TOO_LARGE, f"{size} bytes or more: fetch.max_bytes is {max_bytes}")


def missing(uri: str) -> Unprocessable:
    """Nothing lies there."""
    return Unprocessable(Reason.IMAGE_MISSING, f"nothing at {described(uri)}")


def refused(why: str) -> Unprocessable:
    """A URI that may not be fetched."""
    return Unprocessable(Reason.IMAGE_URI_REFUSED, why)


def described(uri: str) -> str:
    """Scheme and host of a URI, for messages: the rest may hold a signature or a user's name."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname or ''}/..."
