"""What one GPU does: `make bench-gpu`, or `python benchmarks/gpu.py` where torch sees a CUDA device.

ViT-B/16 on JPEGs of 0.3 and 2 megapixels: the bare model by batch, the pipeline from memory, and end to end over a real
broker. Decoding runs on the host's cores and the model on the device, so the limit is the slower of the two. End to end
is measured with several processes on the device as well: the event loop of one carries fewer images than a large GPU
judges. The goals are checked and said; nothing here has been measured where no GPU was. `--device cpu` only shows that
it runs.
"""

import argparse
import asyncio
import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from capacity import GPU_GOAL_PER_S
from case import Case
from checkpoint import save_vit
from cluster import cluster
from contender import sluicegate
from from_memory import from_memory
from inputs import jpegs
from limit import Limit, limit
from machine import machine
from report import table
from sluicegate_consumer.images.decoder import nvimgcodec_is_installed
from sluicegate_consumer.operations.cores import usable_cores
from trial import Bench, work_off

GOAL_OF_LIMIT = 0.8
SIZES = ("0.3 MP", "2 MP")
PROCESSES = (1, 2, 4)
"""That share the device and the cores."""
PARTITIONS = 8
EXPECTED_PER_S = 2 * GPU_GOAL_PER_S
"""For the length of a backlog, until the limit is known to be lower: it must not run out where the goal is met."""


@dataclass(slots=True)
class OnDevice:
    """One size of image."""

    size: str
    limit: Limit
    from_memory_per_s: float
    """Of one process."""
    by_processes: dict[int, float]
    """End to end, per second of all of them together."""
    gpu_decoding_per_s: float | None = None
    """End to end with as many processes as were best, and JPEGs decoded on the GPU as well; None where no GPU is
    measured, or nvImageCodec is not installed."""

    @property
    def best_processes(self) -> int:
        """How many of them did most."""
        return max(self.by_processes, key=self.by_processes.__getitem__)

    @property
    def end_to_end_per_s(self) -> float:
        """With as many processes as were best."""
        return self.by_processes[self.best_processes]


def device_name() -> str:
    """Of the GPU that will be measured.

    Raises:
        SystemExit: there is none that torch can use.
    """
    try:
        import torch  # noqa: PLC0415 - an extra, and the refusal must not need it
    except ModuleNotFoundError as error:
        raise SystemExit("torch is not installed: pip install 'sluicegate[consumer,torch]'") from error
    if not torch.cuda.is_available():
        raise SystemExit(
            f"no GPU to measure: torch {torch.__version__} sees no CUDA device. On a machine with one, install a CUDA "
            "build of torch into .venv-test and check `nvidia-smi`; `make bench` measures the CPU"
        )
    name: str = torch.cuda.get_device_name()
    return name


async def measured(bench: Bench, case: Case, size: str, device: str, batch: int) -> OnDevice:
    """The lines for one size of image."""
    settings = {"MODEL__DEVICE": device, "BATCH__MAX_FRAMES": str(batch), "DELIVERY__MAX_IN_FLIGHT": str(16 * batch)}
    line = limit(case.model, case.images, case.seconds / 4, device=device, batch=batch)
    expected = min(EXPECTED_PER_S, line.slower_per_s)
    memory = await from_memory(bench, case, expected, settings)

    async def end_to_end(processes: int, more: Mapping[str, str]) -> float:
        decoders = str(max(1, usable_cores() // processes))
        service = sluicegate(case.model, settings={**settings, "DECODE__PROCESSES": decoders, **more})
        done = await work_off(
            bench,
            [service] * processes,
            case.uris,
            expected_per_s=expected,
            seconds=case.seconds,
            partitions=PARTITIONS,
        )
        return done.per_s

    found = OnDevice(size, line, memory, {count: await end_to_end(count, {}) for count in PROCESSES})
    if device != "cpu" and nvimgcodec_is_installed():
        found.gpu_decoding_per_s = await end_to_end(found.best_processes, {"DECODE__JPEG": "nvimgcodec"})
    return found


def results_table(found: list[OnDevice]) -> str:
    """In Markdown."""
    head = ("ViT-B/16", "model alone", "decoding alone", "limit", "from memory")
    counts = [f"end to end x {count}" for count in PROCESSES]
    rows = []
    for each in found:
        line = each.limit
        rates = (line.model_per_s, line.decode_per_s, line.slower_per_s, each.from_memory_per_s)
        decoded = "-" if each.gpu_decoding_per_s is None else f"{each.gpu_decoding_per_s:,.0f}"
        share = f"{each.end_to_end_per_s / line.slower_per_s:.2f}"
        done = [f"{rate:,.0f}" for rate in (*rates, *each.by_processes.values())]
        rows.append([each.size, *done, share, decoded])
    return table((*head, *counts, "of limit", "decoded on the GPU"), rows)


def goals(found: list[OnDevice]) -> list[str]:
    """Each goal, and whether it is met."""
    small = found[0].end_to_end_per_s
    lines = [
        f"{_met(small >= GPU_GOAL_PER_S)}: {small:,.0f}/s end to end at {found[0].size}; goal {GPU_GOAL_PER_S:,.0f}/s"
    ]
    for each in found:
        share = each.end_to_end_per_s / each.limit.slower_per_s
        lines.append(f"{_met(share >= GOAL_OF_LIMIT)}: {share:.2f} of the limit at {each.size}; goal {GOAL_OF_LIMIT}")
    return lines


def _met(met: bool) -> str:
    return "met" if met else "not met"


async def main(arguments: argparse.Namespace, name: str, console: Console) -> None:
    """Measure, print, and write JSON."""
    with tempfile.TemporaryDirectory(prefix="sluicegate-bench-") as scratch, cluster(Path(scratch)) as broker:
        bench, model = Bench(broker, Path(scratch)), str(save_vit(Path(scratch), {}))
        facts, found = machine() | {"device": name, "broker": broker.kind}, list[OnDevice]()
        for size in SIZES:
            case = Case(size, model, jpegs(Path(scratch), size, 24), arguments.seconds)
            found.append(await measured(bench, case, size, arguments.device, arguments.batch))
            # What is measured stays, whatever becomes of the rest.
            sizes = [asdict(each) for each in found]
            arguments.report.write_text(json.dumps({"machine": facts, "sizes": sizes}, indent=1))
    console.print(", ".join(f"{key}: {value}" for key, value in facts.items()), highlight=False)
    console.print(Markdown(results_table(found)))
    console.print("\n".join(goals(found)), highlight=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each measurement")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--report", type=Path, default=Path("bench-gpu.json"))
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(main(given, device_name() if given.device == "cuda" else given.device, Console()))
