"""Events per second at full load: the limit, the naive peer, the afternoon peer, and sluicegate, in one run."""

from dataclasses import dataclass, replace
from statistics import mean

from arithmetic import percentile
from case import Case
from contender import afternoon_peer, naive_peer, probed, sluicegate
from from_memory import from_memory
from limit import Limit, limit
from probed_service import read_lags
from trial import Bench, Throughput


@dataclass(frozen=True, slots=True)
class FullLoad:
    """One case, everybody on the same cores one after the other."""

    name: str
    limits: list[Limit]
    """Of each round: before anybody else is measured."""
    naive: Throughput | None
    afternoon: list[Throughput]
    afternoon_exact: list[Throughput]
    """The afternoon peer with the second look in float32 that the service takes at scores near an edge; empty where
    the model gives none that are."""
    ours: list[Throughput]
    from_memory: list[float]
    """Sluicegate's events per second without Kafka, of the first round."""

    @property
    def slower_per_s(self) -> float:
        """Of model and decoding, each alone."""
        return mean(each.slower_per_s for each in self.limits)

    @property
    def shared_per_s(self) -> float:
        """Of both on the same cores."""
        return mean(each.shared_per_s for each in self.limits)

    @property
    def afternoon_per_s(self) -> float:
        """Over all rounds."""
        return mean(each.per_s for each in self.afternoon)

    @property
    def afternoon_exact_per_s(self) -> float | None:
        """Over all rounds."""
        return mean(each.per_s for each in self.afternoon_exact) if self.afternoon_exact else None

    @property
    def ours_per_s(self) -> float:
        """Over all rounds."""
        return mean(each.per_s for each in self.ours)


async def full_load(bench: Bench, case: Case, rounds: int, *, with_naive: bool, with_exact: bool) -> FullLoad:
    """Measure in turns, so that a machine that changes its speed meanwhile does so for all."""
    found, naive = FullLoad(case.name, [], None, [], [], [], []), None
    contenders = [(afternoon_peer(case.model), found.afternoon), (sluicegate(case.model), found.ours)]
    if with_exact:
        contenders.append((afternoon_peer(case.model, second_look=True), found.afternoon_exact))
    for number in range(rounds):
        found.limits.append(limit(case.model, case.images, case.seconds / 4))
        expected = found.limits[-1].slower_per_s
        for contender, results in contenders:
            results.append(await case.work_off(bench, [contender], expected))
        if number > 0:
            continue
        found.from_memory.append(await from_memory(bench, case, expected, {}))
        if with_naive:
            naive = await case.work_off(bench, [naive_peer(case.model)], expected / 4)
    return replace(found, naive=naive)


@dataclass(frozen=True, slots=True)
class LoopLag:
    """How late the event loop was at full load, in seconds."""

    p50_s: float
    p99_s: float
    worst_s: float
    samples: int
    per_s: float
    """Events per second meanwhile."""


async def loop_lag(bench: Bench, case: Case, expected_per_s: float) -> LoopLag:
    """Work off a backlog with a clock in the event loop."""
    path = bench.directory / f"{bench.label('lags')}.jsonl"
    done = await case.work_off(bench, [probed(case.model, path)], expected_per_s)
    lags = read_lags(path, done.began_s, done.ended_s)
    return LoopLag(percentile(lags, 0.5), percentile(lags, 0.99), max(lags), len(lags), done.per_s)
