"""What every fetcher promises: the bytes and their digest, or one clear reason why not."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from image_server import image_server
from s3_server import S3, s3_server
from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.fetcher import StoreFetcher
from sluicegate_consumer.images.image import Fetcher
from sluicegate_consumer.images.memory import MemoryFetcher
from sluicegate_consumer.operations.settings import FetchSettings
from sluicegate_schemas.events import ImageReference, Reason

pytestmark = pytest.mark.integration

IMAGE = bytes(range(256)) * 2000
"""Half a megabyte: more than one chunk."""


@dataclass(frozen=True)
class Place:
    """A fetcher, and how to put an image where it reads; gives the URI."""

    fetcher: Fetcher
    put: Callable[[str, bytes], str]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["memory", "file", "http", "s3"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "memory":
        memory = MemoryFetcher({})

        def keep(name: str, data: bytes) -> str:
            memory.images[f"s3://images/{name}"] = data
            return f"s3://images/{name}"

        yield Place(memory, keep)
    elif request.param == "file":

        def write(name: str, data: bytes) -> str:
            (tmp_path / name).write_bytes(data)
            return (tmp_path / name).as_uri()

        async with StoreFetcher(FetchSettings(file_roots=(tmp_path,))) as fetcher:
            yield Place(fetcher, write)
    elif request.param == "http":
        with image_server() as server:
            settings = FetchSettings(allowed_uri_prefixes=(f"{server.url}/images/",))
            async with StoreFetcher(settings) as fetcher:
                yield Place(fetcher, lambda name, data: server.put(f"/images/{name}", data))
    else:
        s3: S3 = request.getfixturevalue("s3")
        settings = FetchSettings(allowed_uri_prefixes=("s3://images/",), store_options=s3.store_options)
        async with StoreFetcher(settings) as fetcher:
            yield Place(fetcher, lambda name, data: s3.put("images", name, data))


async def refusal(place: Place, reference: ImageReference) -> Reason:
    with pytest.raises(Unprocessable) as caught:
        await place.fetcher.fetch(reference)
    return caught.value.reason


@pytest.mark.parametrize("digest", [None, hashlib.sha256(IMAGE).hexdigest()])
async def test_the_bytes_come_with_their_digest(place: Place, digest: str | None):
    fetched = await place.fetcher.fetch(ImageReference(uri=place.put("a", IMAGE), sha256=digest))
    assert (IMAGE, hashlib.sha256(IMAGE).hexdigest()) == (fetched.data, fetched.sha256)


async def test_other_bytes_than_the_event_names_are_refused(place: Place):
    uri = place.put("a", IMAGE)
    assert Reason.IMAGE_DIGEST_MISMATCH is await refusal(place, ImageReference(uri=uri, sha256="0" * 64))


async def test_what_is_not_there_is_missing(place: Place):
    uri = place.put("a", IMAGE).removesuffix("a") + "b"
    assert Reason.IMAGE_MISSING is await refusal(place, ImageReference(uri=uri))


async def test_nothing_is_no_image(place: Place):
    assert Reason.IMAGE_EMPTY is await refusal(place, ImageReference(uri=place.put("a", b"")))
