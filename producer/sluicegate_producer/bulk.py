"""Publishing many uploads: files, folders and URIs, many under way at the same time."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sluicegate_producer.errors import PublishError
from sluicegate_producer.folders import files_in
from sluicegate_producer.publisher import About, Receipt, UploadPublisher

MOST_UNDER_WAY = 1000
"""Uploads without an acknowledgement, beyond which the next one waits."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one item."""

    item: str
    result: Receipt | PublishError


def expand(names: Iterable[str]) -> Iterator[str]:
    """Replace folders by all files in them, recursively, whatever their names end in: users upload what they like.

    Every other name stays, even one that no path could have: publishing it says what is wrong with it.
    """
    for name in names:
        # Not Path.is_dir: it raises where the system does not even take the name.
        if is_uri(name) or not os.path.isdir(name):  # noqa: PTH112
            yield name
        else:
            yield from map(str, files_in(name))


def is_uri(name: str) -> bool:
    """Whether it is a URI that an image may be published by, and not a path."""
    return "://" in name


async def publish_all(
    publisher: UploadPublisher,
    items: AsyncIterator[str],
    about: About,
    report: Callable[[Published], None],
    *,
    inline: bool = False,
    rate: float | None = None,
) -> None:
    """Publish every item; one that cannot be published keeps none of the others back.

    Args:
        publisher: Connected.
        items: Paths and URIs.
        about: What is said of all of them; its upload id must be None.
        report: Called once for each item, when its outcome is known.
        inline: Send files themselves, not references to them.
        rate: Uploads per second at most; None: as fast as the broker takes them.
    """
    under_way = asyncio.Semaphore(MOST_UNDER_WAY)
    began, count = time.monotonic(), 0

    def settled(item: str, receipt: asyncio.Future[Receipt]) -> None:
        under_way.release()
        error = receipt.exception()
        if error is not None and not isinstance(error, PublishError):
            raise error
        report(Published(item, error if error is not None else receipt.result()))

    async for item in items:
        if rate is not None:
            await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
        count += 1
        await under_way.acquire()
        try:
            receipt = await _submit(publisher, item, about, inline=inline)
        except PublishError as error:
            under_way.release()
            report(Published(item, error))
        else:
            receipt.add_done_callback(partial(settled, item))
    for _ in range(MOST_UNDER_WAY):
        await under_way.acquire()


async def _submit(publisher: UploadPublisher, item: str, about: About, *, inline: bool) -> asyncio.Future[Receipt]:
    if is_uri(item):
        return await publisher.submit_uri(item, about)
    return await publisher.submit_file(Path(item), about, inline=inline)
