"""What an event costs beside fetching, decoding and the model, by stage.

The service is composed as `consume.py` composes it. Only its edges are exchanged: fetcher, decoder and classifier
answer at once; with `--memory` source and sink are those in memory, so that Kafka's client costs nothing either.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from composition import Tally, exchange, filled, in_memory, serve_until, settings_of_process
from contender import Contender, answered
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.images.image import DecodedImage, FetchedImage
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.pixels import Frame, Geometry
from sluicegate_schemas.events import ImageReference
from stacks import Stacks
from trial import Bench
from uploading import upload_backlog

URI = "s3://bucket/image.jpg"
LABELS = ("normal", "nsfw")
DIGEST = "0" * 64
STAGES = (
    ("/benchmarks/overhead", "the exchanged edges"),
    ("/benchmarks/composition", "the exchanged edges"),
    ("models/memory", "the exchanged edges"),
    ("delivery/memory", "the exchanged edges"),
    ("aiokafka", "Kafka client"),
    ("delivery/kafka_", "Kafka client"),
    ("schemas/reading", "read the event"),
    ("cloudevents.py:read", "read the event"),
    ("first_tier.py:_read", "read the event"),
    ("policy/", "decide"),
    ("first_tier.py:_decide", "decide"),
    ("outcomes.py", "write the verdict"),
    ("schemas/writing", "write the verdict"),
    ("cloudevents.py:write", "write the verdict"),
    ("identity.py", "write the verdict"),
    ("prometheus_client", "metrics"),
    ("metrics", "metrics"),
    ("opentelemetry", "metrics"),
    ("batching/", "batch and hand to the device"),
    ("moderation/device", "batch and hand to the device"),
    ("delivery/", "deliver, track, commit"),
    ("moderation/", "pass from stage to stage"),
    ("asyncio/", "event loop"),
    ("selectors.py", "event loop"),
)


@dataclass(frozen=True, slots=True)
class Overhead:
    """CPU time of one event, in microseconds."""

    us: float
    stages: dict[str, float]
    """Parts of it."""


class InstantFetcher:
    """Every image is the same few bytes."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._image = FetchedImage(b"image", DIGEST)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def fetch(self, _reference: ImageReference) -> FetchedImage:
        """See `Fetcher`."""
        return self._image


class InstantDecoder(InstantFetcher):
    """Every image is the same frame."""

    def __init__(self, geometry: Geometry, *_: Any, **__: Any) -> None:
        self._frames: tuple[Frame, ...] = (np.zeros((geometry.height, geometry.width, 3), np.uint8),)

    async def decode(self, _data: bytes) -> DecodedImage:
        """See `Decoder`."""
        return DecodedImage(self._frames, (0,), 1632, 1224, 1, "image/jpeg", 200)


def instant_classifier(*_: Any, **__: Any) -> MemoryClassifier:
    """Every image is harmless."""
    return MemoryClassifier(lambda _: (0.99, 0.01), labels=LABELS)


async def main(arguments: argparse.Namespace) -> Overhead:
    """Work off the uploads; the first fifth is not counted."""
    settings, stacks = settings_of_process(), Stacks(STAGES, "rest")
    moments: list[float] = []

    def begin() -> None:
        moments.append(time.process_time())
        stacks.start()

    def end() -> None:
        stacks.stop()
        moments.append(time.process_time())

    first, last = arguments.uploads // 5, arguments.uploads
    tally = Tally(first, last, begin, end)
    exchange({"StoreFetcher": InstantFetcher, "ProcessDecoder": InstantDecoder, "load_classifier": instant_classifier})
    if arguments.memory:
        exchange(in_memory(filled(settings.topics.uploads, [URI], last), tally))
    else:
        exchange({"KafkaSink": tally.counting(KafkaSink)})
    await serve_until(tally.complete, settings)
    each_us = (moments[1] - moments[0]) / (last - first) * 1e6
    return Overhead(each_us, {stage: share * each_us for stage, share in stacks.shares().items()})


async def overhead(bench: Bench, uploads: int, *, memory: bool) -> Overhead:
    """Measure in a process of its own."""
    topics = await bench.cluster.create(bench.label("overhead"))
    contender = Contender("overhead", "embedded", (__file__, "--uploads", str(uploads), *(["--memory"] * memory)))
    if not memory:
        await upload_backlog(bench.cluster.servers, topics.uploads, [URI], uploads)
    answer = await answered(contender, bench.cluster, topics, bench.directory)
    return Overhead(**answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=20000)
    parser.add_argument("--memory", action="store_true", help="source and sink in memory too, not only the images")
    print(json.dumps(asdict(asyncio.run(main(parser.parse_args())))))
