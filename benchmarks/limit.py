"""The lines that nobody can cross: bare decoding and the bare model, each alone on all cores.

    python benchmarks/limit.py --model embedded --seconds 3 IMAGE...

A process of its own, so that its memory and its threads are gone before anybody else is measured.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from arithmetic import shared, slower
from engines import fastest
from sluicegate_consumer.images.decode import decode_frames
from sluicegate_consumer.images.decode_process import KEEP_MEMORY
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.models.classifier import Classifier
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.operations.settings import BatchSettings, ModelSettings
from sluicegate_consumer.pixels import Frame, Geometry

BATCHES = (1, 4, 8, 16, 32, 64, 128, 256)
SLOTS = 8


@dataclass(frozen=True, slots=True)
class Limit:
    """Images per second, each alone on all cores."""

    runtime: str
    device: str
    decode_per_s: float
    frames_per_image: float
    """1, or as many as are sampled of an animation."""
    decode_cpu_s: float
    """Of one image, on one core."""
    batches: dict[str, float]
    """Frames per second of the model by batch."""
    model_cpu_s: float
    """Of one frame, on all cores together, in a batch of the largest size that was measured."""

    @property
    def model_per_s(self) -> float:
        """Images per second at the best batch."""
        return max(self.batches.values()) / self.frames_per_image

    @property
    def cpu_s(self) -> float:
        """Of one image, decoding and model."""
        return self.decode_cpu_s + self.model_cpu_s * self.frames_per_image

    @property
    def full_batch_s(self) -> float:
        """What a batch of the largest size that was measured takes."""
        size = max(self.batches, key=int)
        return int(size) / self.batches[size]

    @property
    def slower_per_s(self) -> float:
        """See `arithmetic.slower`."""
        return slower(self.decode_per_s, self.model_per_s)

    @property
    def shared_per_s(self) -> float:
        """See `arithmetic.shared`."""
        return shared(self.decode_per_s, self.model_per_s)


def limit(model: str, images: Sequence[Path], seconds: float, device: str = "auto", batch: int = 0) -> Limit:
    """Measure in a process of its own; `seconds` for decoding, and for each size of batch."""
    command = [sys.executable, __file__, "--model", model, "--seconds", f"{seconds:g}", "--device", device]
    environment = os.environ | KEEP_MEMORY | {"HF_HUB_OFFLINE": "1"}
    more = ["--batch", str(batch)] if batch else []
    done = subprocess.run([*command, *more, *images], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return Limit(**json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True, slots=True)
class Decoded:
    """By one process, or by all."""

    images: int
    frames: int
    per_s: float
    cpu_s: float


def decoding(paths: Sequence[Path], geometry: Geometry, seconds: float) -> Decoded:
    """What all cores decode, a process on each."""
    cores = usable_cores()
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        done = pool.starmap(_decode, [(paths, geometry, seconds, number) for number in range(cores)])
    return Decoded(
        images=sum(each.images for each in done),
        frames=sum(each.frames for each in done),
        per_s=sum(each.per_s for each in done),
        cpu_s=sum(each.cpu_s for each in done),
    )


def _decode(paths: Sequence[Path], geometry: Geometry, seconds: float, first: int) -> Decoded:
    Image.MAX_IMAGE_PIXELS = None
    room = np.empty((SLOTS, geometry.height, geometry.width, 3), np.uint8)
    images = [path.read_bytes() for path in paths]
    turns = cycle(images[first:] + images[:first])
    decode_frames(next(turns), geometry, DecodeLimits(), lambda wanted: list(room[:wanted]))
    began, began_cpu, done, frames = time.perf_counter(), time.process_time(), 0, 0
    while time.perf_counter() - began < seconds:
        facts = decode_frames(next(turns), geometry, DecodeLimits(), lambda wanted: list(room[:wanted]))
        done, frames = done + 1, frames + len(facts.frame_indices)
    per_s = done / (time.perf_counter() - began)
    return Decoded(done, frames, per_s, time.process_time() - began_cpu)


def _frame(path: Path, geometry: Geometry) -> Frame:
    room = np.empty((SLOTS, geometry.height, geometry.width, 3), np.uint8)
    decode_frames(path.read_bytes(), geometry, DecodeLimits(), lambda wanted: list(room[:wanted]))
    frame: Frame = room[0]
    return frame


def scoring(classifier: Classifier, frames: Sequence[Frame], size: int, seconds: float) -> tuple[float, float]:
    """Frames per second in batches of `size`, as many of them at a time as there are lanes; and CPU seconds of one."""
    batch, lanes = list(islice(cycle(frames), size)), classifier.card.lanes
    with ThreadPoolExecutor(lanes) as threads:
        list(threads.map(classifier.classify, [batch] * lanes))
        began, began_cpu = time.perf_counter(), time.process_time()
        lane = partial(_classify_until, began + seconds, classifier)
        done = size * sum(threads.map(lane, [batch] * lanes))
    return done / (time.perf_counter() - began), (time.process_time() - began_cpu) / done


def _classify_until(end: float, classifier: Classifier, batch: Sequence[Frame]) -> int:
    """How many batches one lane computes until then, on the clock of `perf_counter`; one at least."""
    batches = 0
    while not batches or time.perf_counter() < end:
        classifier.classify(batch)
        batches += 1
    return batches


def main(arguments: argparse.Namespace) -> Limit:
    """Decode first, while this process has no threads that a fork would lose; then the model."""
    geometry = geometry_of(arguments.model)
    decoded = decoding(arguments.images, geometry, arguments.seconds)
    frames = [_frame(path, geometry) for path in arguments.images]
    most = arguments.batch or BatchSettings().max_frames
    classifier = fastest(ModelSettings(name=arguments.model, device=arguments.device), most)
    sizes = [size for size in BATCHES if size <= most]
    scored = {size: scoring(classifier, frames, size, arguments.seconds) for size in sizes}
    card = classifier.card
    return Limit(
        runtime=f"{card.runtime}, {card.precision}",
        device=card.device,
        decode_per_s=decoded.per_s,
        frames_per_image=decoded.frames / decoded.images,
        decode_cpu_s=decoded.cpu_s / decoded.images,
        batches={str(size): per_s for size, (per_s, _) in scored.items()},
        model_cpu_s=scored[sizes[-1]][1],
    )


def geometry_of(model: str) -> Geometry:
    """That a model wants, without loading it."""
    from sluicegate_consumer.models.find import find_checkpoint  # noqa: PLC0415 - beside its one use

    return find_checkpoint(model).spec.geometry


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--batch", type=int, default=0, help="the largest; 0: the service's default")
    parser.add_argument("images", nargs="+", type=Path)
    print(json.dumps(asdict(main(parser.parse_args()))))
