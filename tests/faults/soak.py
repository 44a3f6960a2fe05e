"""Long runs that show what a service's memory does: 100,000 small uploads, and 2,000 large ones.

PYTHONPATH=tests python tests/faults/soak.py     (or: make soak; leaves docs/memory.svg)

The small ones go through both services with a classifier that costs nothing, so that delivery is what is watched; the
large ones are photographs of some megapixels in files, decoded and judged by the embedded model.
"""

import argparse
import asyncio
import io
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from aiokafka.errors import KafkaError
from installation import installation
from load import Upload, headers, picture
from PIL import Image
from poison import reference
from stage import Stage, stage_of
from world import World

from brokers import kafka_home
from kafka_state import ends
from mixed_uploads import POLICY as EMBEDDED_POLICY
from service_process import PROGRAM, ServiceProcess

MEBIBYTE = 2**20
SAMPLE_S = 1.0
PATIENCE_S = 3600.0
FLAT_WITHIN = 0.10
"""The last quarter of a run may take so much more than its second quarter; the first one fills caches and pools."""
MEGAPIXELS = (2000, 1500)
ASKED = 50
"""Of so many small ones, one goes to the second tier too, and so has two verdicts."""
PHOTOGRAPHS = 40
"""Different ones; each is published under many ids."""


@dataclass
class Sample:
    """One moment."""

    seconds: float
    done: int
    """Verdicts."""
    service: int
    """Resident bytes of the consumer itself."""
    decoders: int
    """Of its decoding processes together."""


@dataclass
class Run:
    """One of the two."""

    name: str
    verdicts: int
    samples: list[Sample] = field(default_factory=list)

    def growth(self, of: Callable[[Sample], int]) -> float:
        """The last quarter's median over the second quarter's, by verdicts, less one."""
        second, last = (self._median(of, part) for part in ((0.25, 0.5), (0.75, 1.0)))
        return last / second - 1

    def _median(self, of: Callable[[Sample], int], part: tuple[float, float]) -> float:
        low, high = (share * self.verdicts for share in part)
        return float(np.median([of(each) for each in self.samples if low <= each.done <= high]))


async def small(stage: Stage, directory: Path, count: int) -> Run:
    """Inline images of a hundred bytes, a few of which go to the second tier."""
    async with installation(stage, directory, **_as_in_production()) as made:
        made.start("escalate")
        return await _watch(
            made, f"{count:,} small uploads", _small_uploads(count), count + len(range(0, count, ASKED))
        )


async def large(stage: Stage, directory: Path, count: int) -> Run:
    """Photographs of three megapixels, by reference, through the embedded model."""
    root = directory / "photographs"
    root.mkdir(parents=True)
    settings = {"SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(root)]), "SLUICEGATE_MODEL__NAME": "embedded"}
    async with installation(stage, directory, **_as_in_production(), **settings) as made:
        Path(made.settings["SLUICEGATE_POLICY_FILE"]).write_text(EMBEDDED_POLICY)
        made.program = list(PROGRAM)
        return await _watch(made, f"{count:,} large uploads", _large_uploads(root, count), count)


def _as_in_production() -> dict[str, str]:
    """Bounds as they are by default, where an installation for faults has small ones."""
    return {
        "SLUICEGATE_DELIVERY__MAX_IN_FLIGHT": "512",
        "SLUICEGATE_DELIVERY__MAX_UNCOMMITTED": "10000",
        "SLUICEGATE_DELIVERY__COMMIT_INTERVAL_S": "1",
        "SLUICEGATE_DELIVERY__PUBLISH_TIMEOUT_S": "120",
        "SLUICEGATE_KAFKA__SESSION_TIMEOUT_S": "30",
        "SLUICEGATE_KAFKA__REBALANCE_TIMEOUT_S": "60",
        "SLUICEGATE_KAFKA__REQUEST_TIMEOUT_S": "40",
        "SLUICEGATE_MODEL__TIMEOUT_S": "120",
        "SLUICEGATE_DELIVERY__STALL_TIMEOUT_S": "120",
    }


def _small_uploads(count: int) -> Iterator[Upload]:
    for number in range(count):
        upload_id = f"small-{number:06}"
        colour = (128, 128, 128) if number % ASKED == 0 else (20, 20, 20)
        yield Upload(upload_id, picture(number, colour), headers(upload_id, b"image/png"), "approved")


def _large_uploads(root: Path, count: int) -> Iterator[Upload]:
    chosen = random.Random(1)
    photographs = [_photograph(chosen.randrange(2**32)) for _ in range(PHOTOGRAPHS)]
    for number in range(count):
        yield reference(f"large-{number:04}", root, photographs[number % PHOTOGRAPHS], "approved")


def _photograph(seed: int) -> bytes:
    """A JPEG of three megapixels and some hundred kilobytes: soft noise, as no two photographs are alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (75, 100, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize(MEGAPIXELS, Image.Resampling.BICUBIC).save(file, "JPEG", quality=92)
    return file.getvalue()


async def _watch(made: World, name: str, uploads: Iterator[Upload], count: int) -> Run:
    run = Run(name, count)
    service = made.start("consume")
    await made.joined(service, 120)
    began = time.monotonic()
    publishing = asyncio.create_task(made.publish(uploads))
    done = 0
    while done < count or not publishing.done():
        if not service.running or time.monotonic() - began > PATIENCE_S:
            raise RuntimeError(f"{done} of {count} are done\n{made.logs()}")
        with suppress(KafkaError, AssertionError, TimeoutError):  # a busy broker says it a second later
            done = sum((await ends(made.direct, made.topics.verdicts)).values())
            run.samples.append(
                Sample(time.monotonic() - began, min(done, count), service.resident_bytes(), _children_bytes(service))
            )
        await asyncio.sleep(SAMPLE_S)
    return run


def _children_bytes(service: ServiceProcess) -> int:
    children = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
    return sum(service.resident_bytes(int(child)) for child in children)


def draw(runs: list[Run], path: Path) -> None:
    """Resident memory over uploads done, one panel for each run."""
    import matplotlib as mpl  # noqa: PLC0415 - of the group `bench`
    from matplotlib.figure import Figure  # noqa: PLC0415 - same

    with mpl.rc_context({"svg.hashsalt": "sluicegate", "font.size": 10, "axes.grid": True, "grid.color": "#e2e8f0"}):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        for panel, run in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs, strict=True):
            done = [each.done for each in run.samples]
            panel.plot(done, [each.service / MEBIBYTE for each in run.samples], color="#0f766e", label="consume")
            panel.plot(done, [each.decoders / MEBIBYTE for each in run.samples], color="#94a3b8", label="its decoders")
            panel.set(title=run.name, xlabel="verdicts", ylabel="resident, MiB")
            panel.set_ylim(bottom=0)
            panel.legend(loc="center right", frameon=False)
        figure.savefig(path, metadata={"Date": None})


async def play(options: argparse.Namespace) -> list[Run]:
    """Both runs at the same time: what memory does is no matter of speed."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = stage_of(options.broker, stack, directory)
        return await asyncio.gather(
            small(stage, directory / "small", options.small), large(stage, directory / "large", options.large)
        )


def main() -> int:
    """Run both, draw them; the exit code is 1 where memory was not flat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=2_000)
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache" if kafka_home() else "embedded")
    parser.add_argument("--into", type=Path, default=Path("docs/memory.svg"), help="the picture")
    parser.add_argument("--json", type=Path, help="where to write the samples")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    runs = asyncio.run(play(options))
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in runs]) + "\n")
    flat = True
    for run in runs:
        grown = run.growth(lambda each: each.service), run.growth(lambda each: each.decoders)
        flat = flat and max(grown) <= FLAT_WITHIN
        most = max(each.service for each in run.samples) / MEBIBYTE
        line = f"{run.name}: at most {most:.0f} MiB, {run.samples[-1].seconds:.0f} s; last quarter over second: "
        sys.stdout.write(f"{line}consume {grown[0]:+.1%}, decoders {grown[1]:+.1%}\n")
    draw(runs, options.into)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
