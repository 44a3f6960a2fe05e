"""Objects from a real S3 API."""

from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from image_server import image_server, redirect, status
from s3_server import CREDENTIALS, S3, s3_server
from sluicegate_consumer.errors import ConfigurationError, Poison, Transient, Unprocessable
from sluicegate_consumer.images.fetcher import StoreFetcher
from sluicegate_consumer.operations.settings import FetchSettings
from sluicegate_consumer.operations.store_hosts import own_hosts
from sluicegate_schemas.events import ImageReference, Reason

pytestmark = pytest.mark.integration

IMAGE = b"\xff\xd8 an image"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


async def fetched(options: dict[str, str], uri: str, **changes: object) -> bytes | Reason:
    settings = FetchSettings(
        **{"deadline_s": 1.0, "timeout_s": 0.8} | changes,
        allowed_uri_prefixes=("s3://images/", "s3://nowhere/"),
        store_options=options,
    )
    async with StoreFetcher(settings) as fetcher:
        try:
            return (await fetcher.fetch(ImageReference(uri=uri))).data
        except Unprocessable as refused:
            return refused.reason


@pytest.mark.parametrize("key", ["a.jpg", "2026/11/a b.jpg", "ünïcödé.jpg", "a+b=c.jpg"])
async def test_an_object_is_read_whatever_its_key(s3: S3, key: str):
    s3.put("images", key, IMAGE)
    assert IMAGE == await fetched(s3.store_options, f"s3://images/{key.replace(' ', '%20')}")


@pytest.mark.parametrize("uri", ["s3://images/nothing", "s3://nowhere/a.jpg"])
async def test_an_object_or_bucket_that_is_not_there_is_missing(s3: S3, uri: str):
    s3.put("images", "a.jpg", IMAGE)
    assert Reason.IMAGE_MISSING is await fetched(s3.store_options, uri)


@pytest.mark.parametrize("key", ["users//a.jpg", "a%0Ab.jpg", "a%01.jpg", "a%7F.jpg", "a.jpg//"])
async def test_a_key_that_cannot_be_said_to_the_store_is_refused_and_not_told(s3: S3, key: str):
    settings = FetchSettings(allowed_uri_prefixes=("s3://images/",), store_options=s3.store_options)
    async with StoreFetcher(settings) as fetcher:
        with pytest.raises(Unprocessable, match=r"^s3://images/\.\.\.: no key may have") as refused:
            await fetcher.fetch(ImageReference(uri=f"s3://images/{key}"))
    assert Reason.IMAGE_URI_REFUSED is refused.value.reason


async def test_a_client_that_fails_in_a_way_of_its_own_costs_that_one_image(s3: S3, monkeypatch: pytest.MonkeyPatch):
    async def fails(*_: object) -> None:
        raise RuntimeError("key and all")

    monkeypatch.setattr("obstore.get_async", fails)
    with pytest.raises(Poison, match=r"^s3://images/\.\.\.: its store's client failed: RuntimeError$"):
        await fetched(s3.store_options, "s3://images/a.jpg")


async def test_a_bucket_is_no_image(s3: S3):
    s3.put("images", "a.jpg", IMAGE)
    assert Reason.IMAGE_URI_REFUSED is await fetched(s3.store_options, "s3://images/")


async def test_another_bucket_is_refused(s3: S3):
    assert Reason.IMAGE_URI_REFUSED is await fetched(s3.store_options, s3.put("others", "a.jpg", IMAGE))


async def test_an_object_over_the_limit_is_not_read_whole():
    sent = 0

    def large(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        for name, value in (
            ("content-length", "268435456"),
            ("etag", '"1"'),
            ("last-modified", formatdate(usegmt=True)),
        ):
            handler.send_header(name, value)
        handler.end_headers()
        for _ in range(256):
            handler.wfile.write(bytes(2**20))
            sent += 1

    with image_server() as server:
        server.put("/images/large", large)
        options = CREDENTIALS | {"aws_endpoint": server.url}
        assert Reason.IMAGE_TOO_LARGE is await fetched(options, "s3://images/large", max_bytes=2**20)
        assert 1 == len(server.asked)
    assert sent < 64


@pytest.mark.parametrize("code", [500, 503, 403])
async def test_a_store_that_fails_is_tried_until_the_deadline(code: int):
    with image_server() as server:
        server.put("/images/a", status(code))
        with pytest.raises(Transient):
            await fetched(CREDENTIALS | {"aws_endpoint": server.url}, "s3://images/a")
        assert len(server.asked) > 1


async def test_a_store_that_is_away_is_tried_until_the_deadline():
    with pytest.raises(Transient):
        await fetched(CREDENTIALS | {"aws_endpoint": "http://127.0.0.1:1"}, "s3://images/a")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
async def test_a_redirect_to_another_host_leads_nowhere(host: str):
    with image_server() as server, image_server("0.0.0.0") as elsewhere:
        target = elsewhere.put("/images/a", IMAGE).replace("127.0.0.1", host).replace("0.0.0.0", host)
        async with httpx.AsyncClient() as client:
            assert IMAGE == (await client.get(target)).content
        elsewhere.asked.clear()
        server.put("/images/a", redirect(target))
        with pytest.raises(Transient):
            await fetched(CREDENTIALS | {"aws_endpoint": server.url}, "s3://images/a")
        assert [] == elsewhere.asked
        assert len(server.asked) > 1


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ({}, ("s3.eu-west-1.amazonaws.com",)),
        ({"aws_endpoint": "https://minio.internal:9000"}, ("minio.internal",)),
        ({"AWS_ENDPOINT_URL": "https://ceph.internal", "HOME": "https://else.where"}, ("ceph.internal",)),
    ],
)
def test_a_client_may_speak_to_its_store_and_its_credentials_only(options: dict[str, str], hosts: tuple[str, ...]):
    allowed = own_hosts("s3", options, ("s3.eu-west-1.amazonaws.com", "media.example.org"))
    assert all(any(host.endswith(each) for each in allowed) for host in hosts)
    assert not any("else.where".endswith(each) for each in allowed)
    assert "169.254.169.254" in allowed


async def test_an_option_that_the_store_does_not_know_is_named():
    with pytest.raises(ConfigurationError, match=r"fetch\.store_options"):
        await fetched({"aws_endpiont": "http://127.0.0.1:1"}, "s3://images/a")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"proxy_url": "http://proxy.internal"}, "with .*proxy_url: one of them is no option of a store"),
        ({"aws_endpoint": "127.0.0.1:9000"}, "aws_endpoint is '127.0.0.1:9000'; must begin with http:// or https://"),
    ],
)
async def test_an_option_that_no_store_can_use_is_a_wrong_setting(option: dict[str, str], message: str):
    with pytest.raises(ConfigurationError, match=rf"^fetch\.store_options: .*{message}"):
        await fetched(option, "s3://images/a")


@pytest.mark.parametrize("option", ["aws_allow_http", "allow_http", "AWS_ALLOW_HTTP"])
async def test_http_may_be_allowed_as_other_clients_do(s3: S3, option: str):
    s3.put("images", "a.jpg", IMAGE)
    assert IMAGE == await fetched({**s3.store_options, option: "True"}, "s3://images/a.jpg")


async def test_stores_of_several_providers_each_take_their_own_options(s3: S3):
    uri = s3.put("images", "a.jpg", IMAGE)
    settings = FetchSettings(
        allowed_uri_prefixes=("s3://images/", "gs://other-images/"),
        store_options=s3.store_options | {"google_skip_signature": "true"},
    )
    async with StoreFetcher(settings) as fetcher:
        assert IMAGE == (await fetcher.fetch(ImageReference(uri=uri))).data
