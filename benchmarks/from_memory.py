"""The pipeline without Kafka: events per second from records in memory, real files, real decoding, the real model."""

import argparse
import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

from case import BATCH, Case
from composition import Tally, exchange, filled, in_memory, serve_until, settings_of_process
from contender import Contender, answered, sluicegate
from trial import Bench


async def main(arguments: argparse.Namespace) -> float:
    """Work off the uploads; the first fifth is not counted."""
    settings = settings_of_process()
    moments: list[float] = []

    def note() -> None:
        moments.append(time.perf_counter())

    last: int = arguments.uploads
    first = last // 5
    tally = Tally(first, last, note, note)
    uris = [path.as_uri() for path in arguments.images]
    # Beyond what is counted lies a tail, so that the last batches that count are full ones too.
    exchange(in_memory(filled(settings.topics.uploads, uris, last + arguments.tail), tally))
    await serve_until(tally.complete, settings)
    began, ended = moments
    return float(last - first) / (ended - began)


async def from_memory(bench: Bench, case: Case, expected_per_s: float, settings: Mapping[str, str]) -> float:
    """Measure in a process of its own, with settings as `sluicegate` takes them."""
    batch = int(settings.get("BATCH__MAX_FRAMES", BATCH))
    uploads = 5 * batch * max(1, round(expected_per_s * case.seconds / batch / 4))
    topics = await bench.cluster.create(bench.label("from memory"))
    flags = ("--uploads", str(uploads), "--tail", str(4 * batch), *map(str, case.images))
    program = Contender(
        "from memory", case.model, (__file__, *flags), settings=sluicegate(case.model, settings=settings).settings
    )
    return float(await answered(program, bench.cluster, topics, bench.directory))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, required=True)
    parser.add_argument("--tail", type=int, default=64)
    parser.add_argument("images", nargs="+", type=Path)
    print(json.dumps(asyncio.run(main(parser.parse_args()))))
