"""The whole benchmark: `make bench`, or `python benchmarks/run.py [--only PART ...] [--quick]`.

Everything is measured in one run on one machine, one after the other: the limit, the peers, sluicegate. Load generator
and broker share the machine's cores with whoever is measured. Throughput is therefore measured on a backlog that was
published before, and verdicts are timed by the broker's own clock and read afterwards.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from rich.console import Console

from capacity import RATES, Costs, need
from case import Case
from checkpoint import save_vit
from cluster import cluster
from cold_start import cold_start
from contender import afternoon_peer, sluicegate
from figures import Figures
from full_load import full_load, loop_lag
from inputs import bytes_per_pixel, gifs, jpegs
from load_curve import PEER_WAIT_S, curves
from losses import losses
from machine import machine
from overhead import overhead
from paces import FULL, QUICK, Pace
from publish import write_report
from scale import scale
from sizes import distances, sizes
from trial import Bench, warm
from verdicts import upload_bytes

VIT, EMBEDDED = "ViT-B/16, 2 MP", "embedded model, 0.3 MP"
S3_DELAY_S = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured with what."""

    bench: Bench
    pace: Pace
    vit: Case
    embedded: Case
    images: Path


async def measure_full(plan: Plan, figures: Figures) -> None:
    """Events per second at full load, and how free the event loop is then."""
    figures.full.clear()
    for case in (plan.vit, plan.embedded):
        is_vit = case is plan.vit  # whose random weights approve everything: no score lies near an edge
        full = await full_load(plan.bench, case, plan.pace.rounds, with_naive=is_vit, with_exact=not is_vit)
        figures.full.append(full)
        figures.lags[case.name] = await loop_lag(plan.bench, case, full.slower_per_s)
        ours = full.ours[-1]
        figures.costs[case.name] = Costs(
            images_per_s=full.ours_per_s,
            cpu_s_per_image=mean(each.cpu_s_per_event for each in full.ours),
            memory_bytes=ours.memory_bytes,
            image_bytes=mean(image.stat().st_size for image in case.images),
            upload_bytes=upload_bytes(case.uris),
            verdict_bytes=ours.verdict_bytes,
        )
        figures.needs[case.name] = [need(rate, figures.costs[case.name]) for rate in RATES]


async def measure_half(plan: Plan, figures: Figures) -> None:
    """Latency at half of sluicegate's capacity, for it and for the afternoon peer."""
    case = plan.vit
    rate = figures.case(case.name).ours_per_s / 2
    for contender in (afternoon_peer(case.model, PEER_WAIT_S), sluicegate(case.model)):
        async with warm(plan.bench, contender, case.uris) as service:
            figures.half[f"{contender.name}, {case.name}"] = await service.keep_up(rate, plan.pace.half_s)


async def measure_curves(plan: Plan, figures: Figures) -> None:
    """Latency against load."""
    case = Case(plan.embedded.name, plan.embedded.model, plan.embedded.images, plan.pace.curve_s)
    capacity = figures.case(case.name).ours_per_s
    figures.curves = await curves(plan.bench, case, capacity, plan.pace.waits_s, plan.pace.loads)


async def measure_losses(plan: Plan, figures: Figures) -> None:
    """What a kill costs."""
    model, images = plan.embedded.model, plan.embedded.images
    for contender in (afternoon_peer(model), sluicegate(model)):
        figures.losses[contender.name] = await losses(plan.bench, contender, images, plan.pace.losses, broken=6)


async def measure_overhead(plan: Plan, figures: Figures) -> None:
    """CPU time of an event beside the work itself."""
    for name, memory in (("everything in memory", True), ("Kafka's client included", False)):
        figures.overhead[name] = await overhead(plan.bench, plan.pace.overhead, memory=memory)


async def measure_scale(plan: Plan, figures: Figures) -> None:
    """Processes and partitions."""
    case = Case(plan.embedded.name, plan.embedded.model, plan.embedded.images, plan.pace.scale_s)
    expected = figures.case(case.name).ours_per_s
    figures.scale = await scale(plan.bench, case, plan.pace.partitions, expected)


async def measure_sizes(plan: Plan, figures: Figures) -> None:
    """Small and big inputs."""
    model, seconds = plan.embedded.model, plan.pace.sizes_s
    images = {
        "avatars, 64x64": jpegs(plan.images, "avatar", 24),
        "telephone, 12 MP": jpegs(plan.images, "12 MP", 6),
        "animated GIF, 24 frames": gifs(plan.images, 6),
    }
    figures.sizes = await sizes(plan.bench, [Case(name, model, paths, seconds) for name, paths in images.items()])


async def measure_distance(plan: Plan, figures: Figures) -> None:
    """A store that is far away."""
    case = plan.vit
    expected = figures.case(case.name).ours_per_s
    slow = Case(case.name, case.model, case.images, plan.pace.sizes_s)
    figures.distances = await distances(plan.bench, slow, S3_DELAY_S, expected)


async def measure_cold(plan: Plan, figures: Figures) -> None:
    """Start to first verdict."""
    for case in (plan.vit, plan.embedded):
        figures.cold_s[case.name] = await cold_start(plan.bench, sluicegate(case.model), case.images)


Part = Callable[[Plan, Figures], Awaitable[None]]
PARTS: dict[str, Part] = {
    "full": measure_full,
    "half": measure_half,
    "overhead": measure_overhead,
    "losses": measure_losses,
    "cold": measure_cold,
    "curves": measure_curves,
    "scale": measure_scale,
    "sizes": measure_sizes,
    "distance": measure_distance,
}
"""In the order in which they run; some rest on the capacity that `full` finds."""


async def main(parts: list[str], pace: Pace, report: Path, console: Console, earlier: Figures | None = None) -> Figures:
    """Measure, and write the report; parts that are measured anew take the place of those of an earlier run."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sluicegate-bench-") as scratch, cluster(Path(scratch)) as broker:
        plan = prepare(Bench(broker, Path(scratch)), pace)
        figures = earlier or Figures(machine(), broker.kind)
        for size, images in {"2 MP": plan.vit.images, "0.3 MP": plan.embedded.images}.items():
            figures.image_bytes[size] = mean(image.stat().st_size for image in images)
            console.print(f"{size}: {bytes_per_pixel(images):.2f} bytes per pixel", highlight=False)
        try:
            for name in parts:
                console.print(f"{time.monotonic() - began:4.0f} s  {name}: {PARTS[name].__doc__}", highlight=False)
                await PARTS[name](plan, figures)
        finally:  # what is found so far outlives whatever went wrong, or a Ctrl+C
            figures.seconds += time.monotonic() - began
            write_report(figures, report, console)
    return figures


def prepare(bench: Bench, pace: Pace) -> Plan:
    """Images and models."""
    images = bench.directory / "images"
    vit = Case(VIT, str(save_vit(bench.directory, pace.vit)), jpegs(images, "2 MP", 12), pace.vit_s)
    embedded = Case(EMBEDDED, "embedded", jpegs(images, "0.3 MP", 24), pace.embedded_s)
    return Plan(bench, pace, vit, embedded, images)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=[], help="`full` runs always, and first, but for --resume"
    )
    parser.add_argument("--resume", action="store_true", help="keep the other figures of the report that is there")
    parser.add_argument("--quick", action="store_true", help="does everything run? The figures say nothing")
    parser.add_argument("--report", type=Path, default=Path("bench-report"))
    given = parser.parse_args()
    before = Figures.load(given.report / "figures.json") if given.resume else None
    needs_full = before is None or not before.full
    wanted = [name for name in PARTS if not given.only or name in given.only or (name == "full" and needs_full)]
    given.report.mkdir(parents=True, exist_ok=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a topic's first second is full of retries
    asyncio.run(main(wanted, QUICK if given.quick else FULL, given.report, Console(), before))
