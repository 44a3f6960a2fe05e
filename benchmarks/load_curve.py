"""Latency against load: p50 and p99 from upload to verdict, for several waits and for the peer's timer."""

from collections.abc import Sequence
from dataclasses import dataclass

from case import Case
from contender import Contender, afternoon_peer, sluicegate
from trial import Bench, Latency, warm

PEER_WAIT_S = 0.25
"""A guess that an engineer would make: long enough to fill batches, short enough not to be noticed."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One contender under rising load."""

    name: str
    wait_s: float
    """How long a first image waits for others: the batcher's setting, or the peer's timer."""
    points: list[Latency]
    shares: list[float]
    """Of the capacity, one for each point."""


async def curve(
    bench: Bench, contender: Contender, wait_s: float, case: Case, *, capacity_per_s: float, shares: Sequence[float]
) -> Curve:
    """One process through all loads, from the lowest to the highest; `case.seconds` for each."""
    async with warm(bench, contender, case.uris) as service:
        points = [await service.keep_up(share * capacity_per_s, case.seconds) for share in shares]
    return Curve(contender.name, wait_s, points, list(shares))


async def curves(
    bench: Bench, case: Case, capacity_per_s: float, waits_s: Sequence[float], shares: Sequence[float]
) -> list[Curve]:
    """Sluicegate with each wait, and the afternoon peer with its timer."""
    found = []
    for wait_s in waits_s:
        ours = sluicegate(case.model, settings={"BATCH__MAX_WAIT_S": f"{wait_s:g}"})
        found.append(await curve(bench, ours, wait_s, case, capacity_per_s=capacity_per_s, shares=shares))
    peer = afternoon_peer(case.model, PEER_WAIT_S)
    below = [share for share in shares if share <= 1]
    found.append(await curve(bench, peer, PEER_WAIT_S, case, capacity_per_s=capacity_per_s, shares=below))
    return found
