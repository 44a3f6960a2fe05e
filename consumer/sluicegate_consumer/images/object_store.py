"""`s3://`, `gs://` and `az://`, through obstore."""

import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sluicegate_consumer.errors import ConfigurationError, Transient
from sluicegate_consumer.images.store import described, missing, read_within, refused, require_size
from sluicegate_consumer.operations.store_hosts import PREFIXES, own_hosts

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket


NO_PROXY_THERE = "http://127.0.0.1:9"
"""Nothing listens on port 9, and by its name (discard) nothing that listened would pass anything on."""
PANIC = "PanicException"
"""What native code raises that was not written to fail; it is no `Exception`, and its class cannot be imported."""


class ObjectStore:
    """One client for each bucket or container that images may come from.

    Args:
        options: As obstore names them; those of another provider are left out.
        timeout_s: For one request.
        buckets: As URLs without a path, for example `s3://images`.
        allowed_hosts: Public hosts that may be reached where no endpoint is configured.

    Raises:
        ConfigurationError: a client does not accept its options.
    """

    def __init__(
        self,
        options: Mapping[str, str],
        timeout_s: float,
        buckets: Iterable[str],
        allowed_hosts: Collection[str] = (),
    ) -> None:
        timeout = timedelta(seconds=timeout_s)
        self._buckets = {url: _connect(url, options, timeout, allowed_hosts) for url in buckets}

    async def read(self, uri: str, max_bytes: int) -> bytes:
        """See `Store`."""
        from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError  # noqa: PLC0415 - only who has such a store needs it loaded

        parts = urlsplit(uri)
        bucket, key = self._buckets.get(f"{parts.scheme}://{parts.netloc.lower()}"), unquote(parts.path).lstrip("/")
        if bucket is None or not key:
            raise refused(f"{described(uri)} names no object below any of fetch.allowed_uri_prefixes")
        try:
            answer = await _asked(bucket, key, uri)
            require_size(answer.meta["size"], max_bytes)
            return await read_within(_chunks(answer.stream()), max_bytes)
        except (NotFoundError, FileNotFoundError) as error:
            raise missing(uri) from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise Transient(f"{described(uri)}: our credentials do not let us read it") from error
        except BaseError as error:
            raise Transient(f"{described(uri)}: {type(error).__name__}") from error

    async def close(self) -> None:
        """The clients close with their last reference."""
        self._buckets.clear()


def _connect(url: str, options: Mapping[str, str], timeout: timedelta, allowed_hosts: Collection[str]) -> "Bucket":
    from obstore.exceptions import BaseError  # noqa: PLC0415 - see above
    from obstore.store import from_url  # noqa: PLC0415 - same

    scheme = urlsplit(url).scheme
    own: Any = {
        name: value
        for name, value in options.items()
        if name.lower().startswith(PREFIXES[scheme]) or not name.lower().startswith(tuple(PREFIXES.values()))
    }
    # What is the HTTP client's, other clients of S3 take among the store's own.
    allows_http = [own.pop(name).lower() for name in list(own) if name.lower().endswith("allow_http")]
    for name, value in own.items():
        if "endpoint" in name.lower() and "://" not in value:
            raise ConfigurationError(f"fetch.store_options: {name} is {value!r}; must begin with http:// or https://")
    try:
        return from_url(
            url,
            config=own,
            client_options={
                "timeout": timeout,
                "allow_http": any(value.startswith("http://") for value in own.values()) or "true" in allows_http,
                # The client follows redirects and cannot be told not to: so that they lead nowhere, hosts that are
                # not the store's own are only to be had through a proxy that is not there.
                "proxy_url": NO_PROXY_THERE,
                "proxy_excludes": ",".join(own_hosts(scheme, os.environ | own, allowed_hosts)),
            },
            # One attempt: what is to be tried again is decided in one place, for all stores.
            retry_config={"max_retries": 0},
        )
    except BaseError as error:
        raise ConfigurationError(f"fetch.store_options: {url} cannot be used: {error}") from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise ConfigurationError(
            f"fetch.store_options: {url} cannot be used with {', '.join(own)}: one of them is no option of a store"
        ) from error


async def _asked(bucket: "Bucket", key: str, uri: str) -> Any:
    """Its answer; a key that its path syntax cannot say, such as `a//b`, is refused."""
    from obstore import get_async  # noqa: PLC0415 - see above

    try:
        return await get_async(bucket, key)
    except ValueError as error:  # whose text holds the key
        raise refused(f"{described(uri)}: no key may have an empty segment or a control character") from error


async def _chunks(stream: Any) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield bytes(chunk)
