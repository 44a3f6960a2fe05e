"""`http://` and `https://`: every hop of a redirect is checked against the allow-list."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx

from sluicegate_consumer.errors import Transient, Unprocessable
from sluicegate_consumer.images.allow_list import AllowList
from sluicegate_consumer.images.store import described, missing, read_within, refused, require_size
from sluicegate_schemas.events import Reason

GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class HttpStore:
    """Fetches with one pool of connections, with no proxy and no credentials from the environment."""

    def __init__(self, allowed: AllowList, *, timeout_s: float, max_redirects: int, connections: int) -> None:
        self._allowed = allowed
        self._max_redirects = max_redirects
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"accept": "image/*", "accept-encoding": "identity"},
        )

    async def read(self, uri: str, max_bytes: int) -> bytes:
        """See `Store`."""
        try:
            for _ in range(self._max_redirects + 1):
                if not self._allowed.allows(uri):
                    raise refused(f"{described(uri)} is not below any of fetch.allowed_uri_prefixes")
                async with self._client.stream("GET", uri) as response:
                    if not response.has_redirect_location:
                        return await _body(response, uri, max_bytes)
                    uri = str(response.url.join(response.headers["location"]))
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Transient(f"{described(uri)}: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise refused(f"not a URL: {error}") from error
        raise refused(f"more than fetch.max_redirects={self._max_redirects} redirects")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _body(response: httpx.Response, uri: str, max_bytes: int) -> bytes:
    status = response.status_code
    if status in GONE:
        raise missing(uri)
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Transient(f"{described(uri)} answered {status}")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        # Ours to mend, if the network or the store forgot us; a presigned URL that has expired looks the same.
        raise Transient(f"{described(uri)} answered {status}: it does not let us in, or the URL has expired")
    if status != HTTPStatus.OK:
        raise Unprocessable(Reason.IMAGE_MISSING, f"{described(uri)} answered {status}")
    if announced := response.headers.get("content-length"):
        require_size(int(announced) if announced.isdecimal() else 0, max_bytes)
    return await read_within(_chunks(response), max_bytes)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in response.aiter_raw():
        yield chunk
