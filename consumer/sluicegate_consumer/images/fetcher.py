"""Fetching an image: the right store, the limits, and the digest."""

import asyncio
import hashlib
from collections.abc import Collection
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from sluicegate_consumer.errors import Poison, SluicegateError, Transient, Unprocessable
from sluicegate_consumer.images.allow_list import AllowList
from sluicegate_consumer.images.file_store import FileStore
from sluicegate_consumer.images.http_store import HttpStore
from sluicegate_consumer.images.image import FetchedImage
from sluicegate_consumer.images.object_store import ObjectStore
from sluicegate_consumer.images.retry import retried
from sluicegate_consumer.images.store import Store, described, refused, require_size
from sluicegate_consumer.operations.settings import FetchSettings
from sluicegate_schemas.events import ImageReference, Reason

OBJECT_SCHEMES = ("s3", "gs", "az")

LARGE_BYTES = 256 * 1024
"""Hashing this much takes a tenth of a millisecond or more: from here on a thread does it, not the event loop."""


class StoreFetcher:
    """Fetches from every kind of store, each by the part of a URI before `://`.

    Args:
        settings: What may be fetched, and at what cost.
        public_hosts: Hosts of a cloud's stores that may be reached, see `egress.allowed_hosts`.
    """

    def __init__(self, settings: FetchSettings, public_hosts: Collection[str] = ()) -> None:
        self._settings = settings
        self._public_hosts = public_hosts
        self._allowed = AllowList.of(settings.allowed_uri_prefixes)

    async def __aenter__(self) -> Self:
        settings = self._settings
        http = HttpStore(
            self._allowed,
            timeout_s=settings.timeout_s,
            max_redirects=settings.max_redirects,
            connections=settings.concurrency,
        )
        buckets = {
            f"{prefix.scheme}://{prefix.host}" for prefix in self._allowed.prefixes if prefix.scheme in OBJECT_SCHEMES
        }
        objects = ObjectStore(settings.store_options, settings.timeout_s, buckets, self._public_hosts)
        self._stores: dict[str, Store] = {
            "file": FileStore(settings.file_roots, settings.concurrency),
            "http": http,
            "https": http,
            **dict.fromkeys(OBJECT_SCHEMES, objects),
        }
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        for store in set(self._stores.values()):
            await store.close()

    async def fetch(self, reference: ImageReference) -> FetchedImage:
        """The bytes that `reference` names; see `Fetcher`."""
        limit = self._settings.max_bytes
        require_size(reference.size or 0, limit)
        store = self._store_for(reference.uri)
        data = await retried(lambda: self._attempt(store, reference.uri), self._settings.deadline_s)
        image = await accept_inline(data, limit)
        if reference.sha256 is not None and reference.sha256 != image.sha256:
            raise Unprocessable(
                Reason.IMAGE_DIGEST_MISMATCH, f"the event says sha256 {reference.sha256}, the bytes have {image.sha256}"
            )
        return image

    async def _attempt(self, store: Store, uri: str) -> bytes:
        """One read, bounded as a whole: a store's own limits begin anew with every byte that drips in."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await store.read(uri, self._settings.max_bytes)
        except TimeoutError as error:
            raise Transient(
                f"{described(uri)}: not read within fetch.timeout_s={self._settings.timeout_s:g}"
            ) from error
        except SluicegateError:
            raise
        except Exception as error:  # a client raises what it likes at what a stranger wrote: it concerns this one alone
            raise Poison(f"{described(uri)}: its store's client failed: {type(error).__name__}") from error

    def _store_for(self, uri: str) -> Store:
        scheme = urlsplit(uri).scheme
        if scheme not in self._stores:
            raise refused(f"{scheme!r} is none of {', '.join(self._stores)}")
        # Files are governed by their roots, which a path cannot be compared with before it is resolved.
        if scheme != "file" and not self._allowed.allows(uri):
            raise refused(f"{described(uri)} is not below any of fetch.allowed_uri_prefixes")
        return self._stores[scheme]


async def accept_inline(data: bytes, max_bytes: int) -> FetchedImage:
    """An image that is here already: the same limits, and its digest.

    Raises:
        Unprocessable: it is empty or too large.
    """
    if not data:
        raise Unprocessable(Reason.IMAGE_EMPTY, "0 bytes")
    require_size(len(data), max_bytes)
    digest = hashlib.sha256(data) if len(data) < LARGE_BYTES else await asyncio.to_thread(hashlib.sha256, data)
    return FetchedImage(data, digest.hexdigest())
