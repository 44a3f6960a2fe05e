"""Whether images can be fetched from where the settings allow."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.errors import Transient, Unprocessable
from sluicegate_consumer.operations.settings import Settings
from sluicegate_schemas.events import ImageReference, Reason

if TYPE_CHECKING:
    from sluicegate_consumer.images.image import Fetcher

PROBE = "sluicegate-check-nothing-lies-here"
PROBE_DEADLINE_S = 5.0


async def check_images(settings: Settings) -> AsyncIterator[Said]:
    """Look at the directories, and ask each store for something that it does not have."""
    from sluicegate_consumer.images.fetcher import StoreFetcher  # noqa: PLC0415 - needs the extra `consumer`

    fetch = settings.fetch
    if not fetch.allowed_uri_prefixes and not fetch.file_roots:
        yield Level.OK, "no fetch.allowed_uri_prefixes and no fetch.file_roots: only inline images are judged"
    for root in fetch.file_roots:
        yield _root(root)
    brief = fetch.model_copy(update={"deadline_s": PROBE_DEADLINE_S})
    async with StoreFetcher(brief, settings.egress.allowed_hosts) as fetcher:
        for said in await asyncio.gather(*(_probe(fetcher, prefix) for prefix in fetch.allowed_uri_prefixes)):
            yield said


def _root(root: Path) -> Said:
    if not root.is_dir():
        return Level.PROBLEM, f"fetch.file_roots: {root}: no such directory"
    if not os.access(root, os.R_OK | os.X_OK):
        return Level.PROBLEM, f"fetch.file_roots: {root}: this user may not read it"
    return Level.OK, f"fetch.file_roots: {root}"


async def _probe(fetcher: "Fetcher", prefix: str) -> Said:
    where = f"fetch.allowed_uri_prefixes: {prefix}"
    try:
        await fetcher.fetch(ImageReference(uri=prefix + PROBE))
    except Unprocessable as error:
        if error.reason is Reason.IMAGE_URI_REFUSED:
            return Level.PROBLEM, f"{where}: {error}"
    except Transient as error:
        if _denied(error):
            # Stores say so, too, of what is missing, to those who may read but not list: not for us to tell apart.
            return Level.WARNING, f"{where}: {error}; right if these credentials may read but not list"
        return Level.PROBLEM, f"{where}: {error}"
    return Level.OK, f"{where}: answers"


def _denied(error: BaseException | None) -> bool:
    from obstore.exceptions import PermissionDeniedError  # noqa: PLC0415 - needs the extra `consumer`

    while error is not None and not isinstance(error, PermissionDeniedError):
        error = error.__cause__
    return error is not None
