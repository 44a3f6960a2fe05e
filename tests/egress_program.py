"""A program with the egress guard of a service, in which each argument names something that is tried.

Prints one JSON object: what became of each attempt, and how many refusals were counted. All that it tries to reach is
either on the loopback interface or reserved for documentation (RFC 5737), where nothing is.
"""

import asyncio
import json
import socket
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection

import httpx
import requests
from huggingface_hub import HfApi

from sluicegate_consumer.images.fetcher import StoreFetcher
from sluicegate_consumer.operations.egress import Egress
from sluicegate_consumer.operations.egress_guard import EgressGuard, install
from sluicegate_consumer.operations.egress_start import guard_egress
from sluicegate_consumer.operations.settings import Settings
from sluicegate_schemas.events import ImageReference

OUTSIDE = "203.0.113.7"
ANSWERS = {"media.internal": "127.0.0.1"}
"""What the resolver of this program says, beside what the system's says."""

settings = Settings()
system_resolver = socket.getaddrinfo


def resolver(host, port, *arguments, **named):
    """As the C library's, with its audit event, but that it has names of our own."""
    name = host.decode() if isinstance(host, bytes) else host  # bytes under httpx
    if name in ANSWERS:
        sys.audit("socket.getaddrinfo", host, port, 0, 0, 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ANSWERS[name], int(port or 0)))]
    return system_resolver(host, port, *arguments, **named)


def with_urllib() -> None:
    urllib.request.urlopen(f"http://{OUTSIDE}/", timeout=2)


def with_http_client() -> None:
    HTTPConnection(OUTSIDE, timeout=2).request("GET", "/")


def with_requests() -> None:
    requests.get(f"http://{OUTSIDE}/", timeout=2)


def with_httpx() -> None:
    httpx.get(f"http://{OUTSIDE}/", timeout=2)


async def with_asyncio() -> None:
    await asyncio.open_connection(OUTSIDE, 80)


async def with_httpx_under_asyncio() -> None:
    async with httpx.AsyncClient() as client:
        await client.get(f"http://{OUTSIDE}/")


def with_hugging_face() -> None:
    HfApi(endpoint=f"http://{OUTSIDE}").model_info("a/b", timeout=2)


def with_connect_ex() -> None:
    with socket.socket() as connection:
        connection.connect_ex((OUTSIDE, 80))


def with_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as connection:
        connection.connect((f"::ffff:{OUTSIDE}", 80))


def with_a_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.sendto(b"image", (OUTSIDE, 53))


def with_a_message() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.sendmsg([b"image"], [], 0, (OUTSIDE, 53))


def with_a_name() -> None:
    socket.gethostbyname("image.exfiltrated.invalid")


def with_another_name() -> None:
    socket.create_connection(("image.exfiltrated.invalid", 80), 2)


def with_another_port() -> None:
    socket.create_connection(("127.0.0.1", 9), 2)


def with_a_redirect() -> None:
    """A client that follows redirects, unlike ours: from an allowed server to elsewhere."""
    httpx.get(f"{settings.fetch.allowed_uri_prefixes[0]}moved", follow_redirects=True)


async def allowed() -> None:
    """What the settings name, as our own client reads it."""
    async with StoreFetcher(settings.fetch) as fetcher:
        await fetcher.fetch(ImageReference(uri=f"{settings.fetch.allowed_uri_prefixes[0]}image"))


async def after_the_name_moved_outside() -> None:
    """Its name led inside when the process started."""
    ANSWERS["media.internal"] = OUTSIDE
    await allowed()


async def a_local_socket() -> None:
    server = await asyncio.start_unix_server(lambda _, writer: writer.close(), "local.sock")
    await asyncio.open_unix_connection("local.sock")
    server.close()


def a_second_guard() -> None:
    install(EgressGuard(Egress(), print))


async def attempt(name: str) -> str:
    work: Callable[[], Awaitable[None] | None] = globals()[name]
    try:
        done = work() if not asyncio.iscoroutinefunction(work) else await work()
        assert done is None
    except Exception as error:  # noqa: BLE001 - which one it is, is what is asked
        return " <- ".join(type(each).__name__ for each in chain(error))
    return "done"


def chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    return found


async def main(names: list[str]) -> None:
    socket.getaddrinfo = resolver
    refused = 0

    def count() -> None:
        nonlocal refused
        refused += 1

    await guard_egress(settings, count)
    results = {}
    for name in names:
        before = refused
        results[name] = [await attempt(name), refused - before]
    print(json.dumps(results))  # noqa: T201 - read by the test


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
