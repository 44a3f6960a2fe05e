"""From the start of a process to its first verdict."""

import time
from collections.abc import Sequence
from pathlib import Path

from contender import Contender, running
from trial import START_TIMEOUT_S, Bench
from uploading import upload_backlog
from verdicts import counter


async def cold_start(bench: Bench, contender: Contender, images: Sequence[Path]) -> float:
    """Seconds; one upload waits when the process begins. Its files are in the page cache, as on a node that had it."""
    topics = await bench.cluster.create(bench.label("cold start"))
    await upload_backlog(bench.cluster.servers, topics.uploads, [images[0].as_uri()], 1)
    async with counter(bench.cluster, topics.verdicts) as found:
        began = time.monotonic()
        with running(contender, bench.cluster, topics, bench.logs) as run:
            await found.reach(1, [run], START_TIMEOUT_S)
            return time.monotonic() - began
