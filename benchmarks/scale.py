"""Events per second for one and two processes on several numbers of partitions, and what an event costs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from case import Case
from contender import sluicegate
from trial import Bench, Throughput


@dataclass(frozen=True, slots=True)
class Scale:
    """One way to deploy on this machine."""

    processes: int
    cores_each: int
    partitions: int
    throughput: Throughput


async def scale(bench: Bench, case: Case, partitions: Sequence[int], expected: float) -> list[Scale]:
    """One process with all cores, and two with half of them each, as two pods would have them; and one with half."""
    cores = sorted(os.sched_getaffinity(0))
    half = len(cores) // 2
    ways: list[list[tuple[int, ...]]] = [[tuple(cores)]]
    if half:
        ways += [[tuple(cores[:half]), tuple(cores[half : 2 * half])]]
    found = []
    for shares in ways:
        found += [await _deployed(bench, case, shares, count, expected) for count in partitions]
    if half:
        found.append(await _deployed(bench, case, [tuple(cores[:half])], partitions[0], expected / 2))
    return found


async def _deployed(
    bench: Bench, case: Case, shares: Sequence[tuple[int, ...]], partitions: int, expected: float
) -> Scale:
    services = [sluicegate(case.model, cores=share) for share in shares]
    done = await case.work_off(bench, services, expected, partitions)
    return Scale(len(shares), len(shares[0]), partitions, done)
