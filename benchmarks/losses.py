"""What a kill costs: uploads without a verdict, after the process was killed in the middle and started again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contender import Contender, running
from kafka_state import all_committed
from sluicegate_schemas.topics import Topics
from trial import START_TIMEOUT_S, Bench
from uploading import upload_backlog
from verdicts import Counter, counter, seen

LOOK_S = 0.25
QUIET_S = 5.0
"""Without a further verdict for so long after everything is committed, a contender is taken to be done."""


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
            await _done(found, servers, contender.group, topics)
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


async def _done(found: Counter, servers: str, group: str, topics: Topics) -> None:
    """Return when the group has committed all uploads and, as a commit may be early, no verdict comes any longer.

    Raises:
        SystemExit: it does not get there.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while not await all_committed(servers, group, topics.uploads):
        if time.monotonic() > deadline:
            raise SystemExit(f"{group} has not committed all uploads {START_TIMEOUT_S:.0f} s after its second start")
        await asyncio.sleep(LOOK_S)
    count, quiet_from = await found.count(), time.monotonic()
    while time.monotonic() < quiet_from + QUIET_S:
        await asyncio.sleep(LOOK_S)
        if (now := await found.count()) > count:
            count, quiet_from = now, time.monotonic()
