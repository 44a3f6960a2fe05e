"""Small inputs, big inputs, animations, and a store that is far away."""

from collections.abc import Sequence
from dataclasses import dataclass

from case import Case
from contender import sluicegate
from limit import Limit, limit
from slow_store import slow_store
from trial import Bench, Throughput, work_off


@dataclass(frozen=True, slots=True)
class Size:
    """One kind of input."""

    name: str
    limit: Limit
    ours: Throughput


async def sizes(bench: Bench, cases: Sequence[Case]) -> list[Size]:
    """Each against its own limit."""
    found = []
    for case in cases:
        line = limit(case.model, case.images, case.seconds / 4)
        ours = await case.work_off(bench, [sluicegate(case.model)], line.slower_per_s)
        found.append(Size(case.name, line, ours))
    return found


@dataclass(frozen=True, slots=True)
class Distance:
    """The same images from S3."""

    delay_s: float
    fetches: int
    """At the same time."""
    per_s: float


async def distances(bench: Bench, case: Case, delay_s: float, expected_per_s: float) -> list[Distance]:
    """From a store without delay, from one with it, and from that one image at a time."""
    found = []
    for delay, fetches in ((0.0, 32), (delay_s, 32), (delay_s, 1)):
        with slow_store(delay, case.images) as (uris, settings):
            service = sluicegate(case.model, settings=settings | {"FETCH__CONCURRENCY": str(fetches)})
            done = await work_off(bench, [service], uris, expected_per_s=expected_per_s, seconds=case.seconds)
        found.append(Distance(delay, fetches, done.per_s))
    return found
