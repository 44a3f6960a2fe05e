"""The two measurements that everything else is made of: work off a backlog, and keep up with a stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import mean

from arithmetic import percentile, steady_rate
from cluster import Cluster
from contender import Contender, Running, Usage, running
from sluicegate_schemas.topics import Topics
from uploading import upload_backlog, upload_stream
from verdicts import Counter, counter, seen

START_TIMEOUT_S = 180.0
WARM_UP_SHARE = 0.15
"""Of a backlog's verdicts: not counted, as caches, clocks and the client's first requests settle."""
MOST_LEFT_OUT = 32
LEAST = 40
"""Events that a rate rests on."""
WARM_UPS = 24
JOINING_S = 15.0
"""That several contenders may take until each has its share of the partitions: longer backlogs for them."""
LOOK_S = 0.5
PATIENCE_S = 30.0
"""After the end of a stream, for its last verdicts."""
NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Bench:
    """Where measurements happen."""

    cluster: Cluster
    directory: Path
    """Scratch: images, models, logs."""

    @property
    def logs(self) -> Path:
        """Where contenders write what they have to say."""
        return self.directory / "contenders.log"

    def label(self, what: str) -> str:
        """A name that no other measurement has."""
        words = "".join(letter if letter.isalnum() else "-" for letter in what)
        return f"{next(NUMBERS):03}-{words}"


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a contender made of a backlog."""

    per_s: float
    events: int
    """On which the rate rests."""
    cpu_s_per_event: float
    main_cpu_s_per_event: float
    """Of it: in the thread of the event loop."""
    children_cpu_s_per_event: float
    """Of it: in processes that were started, sluicegate's decoders."""
    memory_bytes: int
    began_s: float
    """Seconds since 1970."""
    ended_s: float
    verdict_bytes: float
    """Of a verdict's record, on average."""


@dataclass(frozen=True, slots=True)
class Latency:
    """From upload to verdict, at one offered rate."""

    offered_per_s: float
    p50_s: float
    p99_s: float
    events: int
    unanswered: int
    generator_late_s: float
    """By how much the load generator itself was late at worst; counted as the contender's."""


async def work_off(
    bench: Bench,
    contenders: Sequence[Contender],
    uris: Sequence[str],
    *,
    expected_per_s: float,
    seconds: float,
    partitions: int = 1,
) -> Throughput:
    """Events per second from a backlog that was published before the contenders began, so that nobody else works.

    Several contenders share one group, and count from when all are at work. Each should have work for the whole time,
    hence a backlog of a third more than what is expected of them; where it does run out, the last verdicts, of batches
    that were not full, are not counted.
    """
    label = bench.label(contenders[0].name)
    topics = await bench.cluster.create(label, partitions)
    alone = len(contenders) == 1
    backlog = max(MOST_LEFT_OUT * 3, round(expected_per_s * (seconds * 1.3 + (0.0 if alone else JOINING_S))))
    await upload_backlog(bench.cluster.servers, topics.uploads, uris, backlog)
    async with counter(bench.cluster, topics.verdicts) as found:
        with ExitStack() as stack:
            runs = [stack.enter_context(running(each, bench.cluster, topics, bench.logs)) for each in contenders]
            first = round(backlog * WARM_UP_SHARE)  # until all are at work, if there are several
            if not await found.reach(first, runs, START_TIMEOUT_S):
                raise SystemExit(f"{label}: fewer than {first} verdicts after {START_TIMEOUT_S:.0f} s")
            if not alone:
                await _all_at_work(bench.logs, topics.uploads, -(-partitions // len(contenders)))
                first = await found.count()
                if first + LEAST > backlog - MOST_LEFT_OUT:
                    raise SystemExit(f"{label}: the backlog of {backlog} was worked off before all were at work")
            before, from_count = [run.usage() for run in runs], await found.count()
            await found.reach(backlog, runs, seconds)
            await found.reach(first + LEAST, runs, START_TIMEOUT_S)  # a slow one takes its time
            after, to_count = [run.usage() for run in runs], await found.count()
    counted = (await seen(bench.cluster, topics.verdicts))[first : min(to_count, backlog - MOST_LEFT_OUT)]
    events = max(1, to_count - from_count)

    def each_s(part: Callable[[Usage], float]) -> float:
        return sum(part(end) - part(start) for start, end in zip(before, after, strict=True)) / events

    return Throughput(
        per_s=steady_rate([verdict.appended_s for verdict in counted]),
        events=len(counted),
        cpu_s_per_event=each_s(lambda usage: usage.cpu_s),
        main_cpu_s_per_event=each_s(lambda usage: usage.main_cpu_s),
        children_cpu_s_per_event=each_s(lambda usage: usage.children_cpu_s),
        memory_bytes=sum(usage.memory_bytes for usage in after),
        began_s=counted[0].appended_s,
        ended_s=counted[-1].appended_s,
        verdict_bytes=mean(verdict.size for verdict in counted),
    )


async def _all_at_work(log: Path, topic: str, share: int) -> None:
    """Wait until each of several services has its share of the partitions: one that has no more says it for all."""
    for _ in range(round(START_TIMEOUT_S / LOOK_S)):
        if any(0 < count <= share for count in _assigned(log, topic)):
            return
        await asyncio.sleep(LOOK_S)
    raise SystemExit(f"{topic}: not shared by all within {START_TIMEOUT_S:.0f} s")


def _assigned(log: Path, topic: str) -> Iterator[int]:
    """How many partitions of the topic any of them was given, each time."""
    for line in log.read_text(errors="replace").splitlines():
        if '"partitions_assigned"' in line and f'"{topic}"' in line:
            yield len(json.loads(line)["partitions"])


@asynccontextmanager
async def warm(bench: Bench, contender: Contender, uris: Sequence[str]) -> AsyncIterator["Warm"]:
    """A contender that has given its first verdicts and waits for more."""
    label = bench.label(contender.name)
    topics = await bench.cluster.create(label)
    await upload_backlog(bench.cluster.servers, topics.uploads, uris, WARM_UPS, "warm-up")
    async with counter(bench.cluster, topics.verdicts) as found:
        with running(contender, bench.cluster, topics, bench.logs) as run:
            if not await found.reach(WARM_UPS, [run], START_TIMEOUT_S):
                raise SystemExit(f"{label}: fewer than {WARM_UPS} verdicts after {START_TIMEOUT_S:.0f} s")
            yield Warm(bench.cluster, topics, found, run, uris)


@dataclass(slots=True)
class Warm:
    """See `warm`."""

    cluster: Cluster
    topics: Topics
    found: Counter
    run: Running
    uris: Sequence[str]
    streams: int = 0

    async def keep_up(self, rate: float, seconds: float) -> Latency:
        """Latencies under a stream of uploads; what is never answered counts as answered when it was given up."""
        self.streams += 1
        label, before = f"stream-{self.streams}", await self.found.count()
        sent, late = await upload_stream(
            self.cluster.servers, self.topics.uploads, self.uris, rate=rate, seconds=seconds, label=label
        )
        await self.found.reach(before + sent, [self.run], PATIENCE_S)
        found = {verdict.upload_id: verdict for verdict in await seen(self.cluster, self.topics.verdicts)}
        mine = [verdict for name, verdict in found.items() if name.startswith(f"{label}-")]
        latencies = [verdict.latency_s for verdict in mine] + [PATIENCE_S] * (sent - len(mine))
        return Latency(
            offered_per_s=rate,
            p50_s=percentile(latencies, 0.5),
            p99_s=percentile(latencies, 0.99),
            events=sent,
            unanswered=sent - len(mine),
            generator_late_s=late,
        )
