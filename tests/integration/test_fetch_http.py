"""What a web server can do to us: nothing but give its image, or cost it."""

import asyncio
from collections.abc import Iterator

import pytest

from image_server import ImageServer, body, dripping, endless, image_server, redirect, reset, status
from sluicegate_consumer.errors import Transient, Unprocessable
from sluicegate_consumer.images.fetcher import StoreFetcher
from sluicegate_consumer.operations.settings import FetchSettings
from sluicegate_schemas.events import ImageReference, Reason

pytestmark = pytest.mark.integration

IMAGE = b"\xff\xd8 an image"


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with image_server() as server:
        yield server


def settings(server: ImageServer, **changes: object) -> FetchSettings:
    fast = {"timeout_s": 1.0, "deadline_s": 3.0, "max_bytes": 100_000}
    return FetchSettings(**fast | {"allowed_uri_prefixes": (f"{server.url}/in/",)} | changes)


async def fetched(server: ImageServer, uri: str, **changes: object) -> bytes | Reason:
    """The bytes, or the reason why there never will be any."""
    async with StoreFetcher(settings(server, **changes)) as fetcher:
        try:
            return (await fetcher.fetch(ImageReference(uri=uri))).data
        except Unprocessable as refused:
            return refused.reason


@pytest.mark.parametrize(
    "failure", [status(500), status(503), status(429), status(408), reset, body(b"x", announced=50)]
)
async def test_what_may_pass_is_tried_again(server: ImageServer, failure: object):
    assert IMAGE == await fetched(server, server.put("/in/a", failure, failure, IMAGE))
    assert ["/in/a"] * 3 == server.asked


@pytest.mark.parametrize(
    ("answer", "said"), [(status(500), "500"), (status(403), "403"), (status(401), "401"), (reset, "ReadError")]
)
async def test_what_does_not_pass_in_time_can_be_replayed_later(server: ImageServer, answer: object, said: str):
    with pytest.raises(Transient, match=rf"{said}.* \(not fetched within 1 s, in \d+ attempts\)"):
        await fetched(server, server.put("/in/a", answer), deadline_s=1.0)
    assert len(server.asked) > 1


async def test_what_the_last_failure_was_is_told_although_the_deadline_came_during_another_attempt(server: ImageServer):
    with pytest.raises(Transient, match=r"500.* \(not fetched within 1 s, in 2 attempts\)"):
        await fetched(server, server.put("/in/a", status(500), dripping(5)), timeout_s=5.0, deadline_s=1.0)


@pytest.mark.parametrize(
    ("code", "reason"), [(404, Reason.IMAGE_MISSING), (410, Reason.IMAGE_MISSING), (400, Reason.IMAGE_MISSING)]
)
async def test_what_is_not_there_is_asked_for_once(server: ImageServer, code: int, reason: Reason):
    assert reason is await fetched(server, server.put("/in/a", status(code)))
    assert ["/in/a"] == server.asked


@pytest.mark.parametrize("answer", [endless, body(bytes(100_001)), body(b"", announced=100_001)])
async def test_more_than_the_limit_is_not_read(server: ImageServer, answer: object):
    assert Reason.IMAGE_TOO_LARGE is await fetched(server, server.put("/in/a", answer))


async def test_a_size_over_the_limit_in_the_event_is_not_even_asked_for(server: ImageServer):
    async with StoreFetcher(settings(server)) as fetcher:
        with pytest.raises(Unprocessable, match=r"fetch\.max_bytes is 100000"):
            await fetcher.fetch(ImageReference(uri=server.put("/in/a", IMAGE), size=100_001))
    assert [] == server.asked


async def test_a_body_that_drips_is_given_up_although_it_is_never_silent(server: ImageServer):
    with pytest.raises(Transient, match=r"not read within fetch\.timeout_s=0\.2"):
        await fetched(server, server.put("/in/a", dripping(5)), timeout_s=0.2, deadline_s=1.0)


@pytest.mark.parametrize("to", ["/in/b", "b", "//{host}/in/b"])
async def test_a_redirect_within_the_allow_list_is_followed(server: ImageServer, to: str):
    server.put("/in/b", IMAGE)
    target = to.format(host=server.url.removeprefix("http://"))
    assert IMAGE == await fetched(server, server.put("/in/a", redirect(target)))


async def test_a_redirect_to_elsewhere_is_refused_and_nobody_is_asked_there(server: ImageServer):
    with image_server() as elsewhere:
        outside = elsewhere.put("/in/a", IMAGE)
        assert Reason.IMAGE_URI_REFUSED is await fetched(server, server.put("/in/a", redirect(outside)))
        assert [] == elsewhere.asked


@pytest.mark.parametrize("to", ["/out/a", "/in/../out/a", "file:///etc/hostname", "http://127.0.0.1:1/", "gopher://x/"])
async def test_a_redirect_to_what_is_not_allowed_is_refused(server: ImageServer, to: str):
    server.put("/out/a", IMAGE)
    assert Reason.IMAGE_URI_REFUSED is await fetched(server, server.put("/in/a", redirect(to)))
    assert ["/in/a"] == server.asked


async def test_redirects_end(server: ImageServer):
    assert Reason.IMAGE_URI_REFUSED is await fetched(server, server.put("/in/a", redirect("/in/a")), max_redirects=3)
    assert 4 == len(server.asked)


async def test_a_uri_outside_the_allow_list_is_asked_of_nobody(server: ImageServer):
    assert Reason.IMAGE_URI_REFUSED is await fetched(server, server.put("/out/a", IMAGE))
    assert [] == server.asked


async def test_a_server_that_is_away_is_tried_until_the_deadline(server: ImageServer):
    uri = server.put("/in/a", IMAGE)
    server.stop()
    with pytest.raises(Transient, match="ConnectError"):
        await fetched(server, uri, deadline_s=0.4)


async def test_no_message_holds_more_than_the_host(server: ImageServer):
    uri = server.put("/in/a", status(500)) + "?signature=hidden"
    with pytest.raises(Transient) as caught:
        await fetched(server, uri, deadline_s=1.0)
    assert server.url.removeprefix("http://").partition(":")[0] in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "/in/" not in str(caught.value)


async def test_no_more_connections_than_configured(server: ImageServer):
    uris = [server.put(f"/in/{number}", IMAGE) for number in range(20)]
    async with StoreFetcher(settings(server, concurrency=3)) as fetcher:
        images = await asyncio.gather(*(fetcher.fetch(ImageReference(uri=uri)) for uri in uris))
    assert {IMAGE} == {image.data for image in images}
    assert server.most_at_once <= 3
