"""A `file://` URI reads a regular file below a root, and nothing else, however it is written."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sluicegate_consumer.errors import Transient, Unprocessable
from sluicegate_consumer.images.fetcher import LARGE_BYTES, StoreFetcher, accept_inline
from sluicegate_consumer.images.file_store import FileStore
from sluicegate_consumer.operations.settings import FetchSettings
from sluicegate_schemas.events import ImageReference, Reason

pytestmark = pytest.mark.integration

REFUSED = Reason.IMAGE_URI_REFUSED
MISSING = Reason.IMAGE_MISSING


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, beside a secret."""
    (tmp_path / "root" / "folder").mkdir(parents=True)
    (tmp_path / "root" / "a.jpg").write_bytes(b"image")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "a.jpg").write_bytes(b"secret")
    return tmp_path / "root"


async def fetched(root: Path, uri: str, **settings: object) -> bytes | Reason:
    """The bytes, or the reason why not."""
    async with StoreFetcher(FetchSettings(file_roots=(root,), deadline_s=1.0, **settings)) as fetcher:
        try:
            async with asyncio.timeout(5):
                return (await fetcher.fetch(ImageReference(uri=uri))).data
        except Unprocessable as refused:
            return refused.reason


async def test_a_mount_that_hangs_holds_nothing_up_but_its_own_files(root: Path, monkeypatch: pytest.MonkeyPatch):
    mounted = threading.Event()
    settings = FetchSettings(file_roots=(root,), deadline_s=0.5, timeout_s=0.1, concurrency=8)
    uri = ImageReference(uri=(root / "a.jpg").as_uri())
    async with StoreFetcher(settings) as fetcher:
        monkeypatch.setattr(FileStore, "_read", lambda *_: mounted.wait(20))
        hanging = [asyncio.ensure_future(fetcher.fetch(uri)) for _ in range(40)]
        await asyncio.sleep(0.2)
        async with asyncio.timeout(5):
            await accept_inline(bytes(LARGE_BYTES), LARGE_BYTES)
            failures = await asyncio.gather(*hanging, return_exceptions=True)
        assert {Transient} == {type(failure) for failure in failures}
        mounted.set()


@pytest.mark.parametrize("name", ["a.jpg", "with space.jpg", "ünïcödé-图.jpg", "100%.jpg", "a#b?c.jpg"])
async def test_a_file_below_the_root_is_read_whatever_its_name(root: Path, name: str):
    (root / name).write_bytes(b"image")
    assert b"image" == await fetched(root, (root / name).as_uri())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/../secret", REFUSED),
        ("/folder/../../secret", REFUSED),
        ("/%2e%2e/secret", REFUSED),
        ("/..%2fsecret", REFUSED),
        ("s/a.jpg", REFUSED),
        ("/../nothing", REFUSED),
        ("/nothing", MISSING),
        ("/a.jpg/nothing", MISSING),
        ("/folder", REFUSED),
        ("/.", REFUSED),
        ("/a.jpg%00.png", REFUSED),
        ("/" + "n" * 300, MISSING),
    ],
)
async def test_what_is_no_file_below_the_root_is_refused_or_missing(root: Path, path: str, reason: Reason):
    assert reason is await fetched(root, root.as_uri() + path)


@pytest.mark.parametrize(
    "uri", ["file://elsewhere/a.jpg", "file:a.jpg", "file:///etc/hostname", "file:///proc/self/environ"]
)
async def test_other_hosts_and_other_places_are_refused(root: Path, uri: str):
    assert REFUSED is await fetched(root, uri)


def _link_to_file(root: Path) -> Path:
    (root / "link").symlink_to(root.parent / "secret")
    return root / "link"


def _link_to_folder(root: Path) -> Path:
    (root / "link").symlink_to(root.parent)
    return root / "link" / "secret"


def _link_to_itself(root: Path) -> Path:
    (root / "link").symlink_to(root / "link")
    return root / "link"


def _pipe(root: Path) -> Path:
    os.mkfifo(root / "pipe")
    return root / "pipe"


def _device(root: Path) -> Path:
    (root / "zero").symlink_to("/dev/zero")
    return root / "zero"


@pytest.mark.parametrize("trap", [_link_to_file, _link_to_folder, _pipe, _device])
async def test_traps_below_the_root_are_refused_at_once(root: Path, trap: Callable[[Path], Path]):
    assert REFUSED is await fetched(root, trap(root).as_uri())


async def test_a_link_to_itself_leads_to_nothing(root: Path):
    assert MISSING is await fetched(root, _link_to_itself(root).as_uri())


async def test_a_link_within_the_root_is_followed(root: Path):
    (root / "link").symlink_to(root / "a.jpg")
    assert b"image" == await fetched(root, (root / "link").as_uri())


async def test_a_root_that_is_a_link_is_resolved_once(root: Path):
    (root.parent / "alias").symlink_to(root)
    assert b"image" == await fetched(root.parent / "alias", (root / "a.jpg").as_uri())


@pytest.mark.parametrize(("size", "expected"), [(10, bytes(10)), (11, Reason.IMAGE_TOO_LARGE)])
async def test_a_file_is_read_up_to_the_limit(root: Path, size: int, expected: object):
    (root / "b").write_bytes(bytes(size))
    assert expected == await fetched(root, (root / "b").as_uri(), max_bytes=10)


async def test_a_file_that_says_it_is_empty_is_still_bounded():
    # Files of /proc have size 0 and content all the same.
    assert Reason.IMAGE_TOO_LARGE is await fetched(Path("/proc"), "file:///proc/cpuinfo", max_bytes=10)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_we_may_not_read_can_be_tried_again_later(root: Path):
    (root / "a.jpg").chmod(0)
    with pytest.raises(Transient, match="Permission denied"):
        await fetched(root, (root / "a.jpg").as_uri())


async def test_without_roots_no_file_is_read(root: Path):
    async with StoreFetcher(FetchSettings()) as fetcher:
        with pytest.raises(Unprocessable, match=r"outside fetch\.file_roots"):
            await fetcher.fetch(ImageReference(uri=(root / "a.jpg").as_uri()))
