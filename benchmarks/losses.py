"""What a kill costs: uploads without a verdict, after the process was killed in the middle and started again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contender import SESSION_TIMEOUT_S, Contender, running
from trial import START_TIMEOUT_S, Bench
from uploading import upload_backlog
from verdicts import Counter, counter, seen

LOOK_S = 0.1
START_S = 15.0
QUIET_S = 3.0
"""Without a further verdict for so long a contender is taken to be done."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What became of so many uploads."""

    uploads: int
    broken: int
    """Of them: files cut off in the middle, which nobody can judge; they too should leave a verdict that says so."""
    without_verdict: int
    broken_without_verdict: int
    repeated: int
    """Verdicts beyond the first of an upload."""


async def losses(bench: Bench, contender: Contender, images: Sequence[Path], uploads: int, broken: int) -> Losses:
    """Kill the contender when a third of the verdicts are there, start it again, and wait until nothing more comes."""
    label = bench.label(f"losses {contender.name}")
    topics = await bench.cluster.create(label)
    servers, cut = bench.cluster.servers, cut_off(images[0], bench.directory)
    await upload_backlog(servers, topics.uploads, [cut.as_uri()], broken, "broken")
    await upload_backlog(servers, topics.uploads, [path.as_uri() for path in images], uploads - broken)
    async with counter(bench.cluster, topics.verdicts) as found:
        with running(contender, bench.cluster, topics, bench.logs) as run:
            await found.reach(uploads // 3, [run], START_TIMEOUT_S)
        with running(contender, bench.cluster, topics, bench.logs):
            await _done(found)
    verdicts = await seen(bench.cluster, topics.verdicts)
    answered = {verdict.upload_id for verdict in verdicts}
    return Losses(
        uploads=uploads,
        broken=broken,
        without_verdict=uploads - len(answered),
        broken_without_verdict=broken - sum(name.startswith("broken") for name in answered),
        repeated=len(verdicts) - len(answered),
    )


def cut_off(image: Path, directory: Path) -> Path:
    """The first half of an image's file."""
    path = directory / "cut-off.jpg"
    path.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    return path


async def _done(found: Counter) -> None:
    """Return when nothing has come for a while, counted from the first verdict of the second life.

    A contender that has lost what it should begin with never gives one; it is waited for as long as its group may
    take to forget the first life, and a start may take.
    """
    before = await found.count()
    deadline = time.monotonic() + SESSION_TIMEOUT_S + START_S
    count, quiet_from = before, time.monotonic()
    while time.monotonic() < (deadline if count == before else quiet_from + QUIET_S):
        await asyncio.sleep(LOOK_S)
        if (now := await found.count()) > count:
            count, quiet_from = now, time.monotonic()
