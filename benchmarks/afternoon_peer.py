"""The afternoon peer: what a good engineer writes in an afternoon.

aiokafka, a pool of decoding threads that works ahead of the model, batches of a fixed size closed by a timer, and a
commit at the end of each batch, after the broker has acknowledged its verdicts. Decoding and the model's engine are
sluicegate's own, so that nothing but the loop around them is compared.

It looks right, and it loses uploads: `commit()` commits the position of the consumer, and that is ahead of the batch
by everything that has been read and waits for its turn. And an image that cannot be decoded is logged and skipped.
"""

import argparse
import asyncio
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from numpy.typing import NDArray

from engines import fastest
from sluicegate_consumer.images.decode import decode_frames
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.models.classifier import Classifier
from sluicegate_consumer.operations.settings import ModelSettings
from sluicegate_consumer.pixels import Geometry

log = logging.getLogger(__name__)

Upload = dict[str, Any]
Frame = NDArray[np.uint8]


class AfternoonPeer:
    """Everything it holds."""

    def __init__(self, arguments: argparse.Namespace, classifier: Classifier) -> None:
        self.arguments = arguments
        self.classifier = classifier
        self.threads = ThreadPoolExecutor(os.cpu_count())
        self.device = ThreadPoolExecutor(1)
        self.waiting: asyncio.Queue[tuple[Upload, asyncio.Future[Frame]]] = asyncio.Queue(4 * arguments.batch)
        self.consumer = AIOKafkaConsumer(
            arguments.uploads,
            bootstrap_servers=arguments.brokers,
            group_id="afternoon-peer",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=arguments.session_timeout_ms,
        )
        self.producer = AIOKafkaProducer(bootstrap_servers=arguments.brokers)

    async def run(self) -> None:
        """Judge uploads until the process is ended."""
        await self.consumer.start()
        await self.producer.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.read())
            while True:
                await self.judge(await self.next_batch())

    async def read(self) -> None:
        """Take records and begin to decode them."""
        loop = asyncio.get_running_loop()
        geometry = self.classifier.card.geometry
        async for record in self.consumer:
            upload = json.loads(record.value)
            await self.waiting.put((upload, loop.run_in_executor(self.threads, decoded, upload, geometry)))

    async def next_batch(self) -> list[tuple[Upload, asyncio.Future[Frame]]]:
        """A full one, or what has come when the timer of its first one runs out."""
        batch = [await self.waiting.get()]
        try:
            async with asyncio.timeout(self.arguments.wait_s):
                while len(batch) < self.arguments.batch:
                    batch.append(await self.waiting.get())
        except TimeoutError:
            pass
        return batch

    async def judge(self, batch: list[tuple[Upload, asyncio.Future[Frame]]]) -> None:
        """Score, publish, commit."""
        uploads, frames = [], []
        for upload, decoding in batch:
            try:
                frames.append(await decoding)
                uploads.append(upload)
            except Exception:
                log.exception("cannot decode %s", upload["upload_id"])
        if frames:
            loop = asyncio.get_running_loop()
            scores = await loop.run_in_executor(self.device, self.classifier.classify, frames)
            await asyncio.gather(
                *[await self.send(upload, row) for upload, row in zip(uploads, scores.tolist(), strict=True)]
            )
        await self.consumer.commit()

    async def send(self, upload: Upload, scores: list[float]) -> asyncio.Future[Any]:
        """Buffer a verdict; the future is its acknowledgement."""
        labelled = dict(zip(self.classifier.card.labels, scores, strict=True))
        decision = "approved" if scores[0] == max(scores) else "rejected"
        event = {key: upload[key] for key in ("upload_id", "uploaded_at")} | {"decision": decision, "scores": labelled}
        sent: asyncio.Future[Any] = await self.producer.send(
            self.arguments.verdicts, json.dumps(event).encode(), upload["upload_id"].encode()
        )
        return sent


def decoded(upload: Upload, geometry: Geometry) -> Frame:
    """The first frame at the model's size, (height, width, 3) uint8."""
    data = Path(url2pathname(urlsplit(upload["image"]["uri"]).path)).read_bytes()
    frame = np.empty((geometry.height, geometry.width, 3), np.uint8)
    decode_frames(data, geometry, DecodeLimits(sampled_frames=1), lambda _: [frame])
    return frame


async def main(arguments: argparse.Namespace) -> None:
    """Load the model, then work."""
    # One batch at a time, as its loop computes them: with all cores.
    settings = ModelSettings(name=arguments.model, lanes=1)
    classifier = fastest(settings, arguments.batch, second_look=arguments.second_look)
    await AfternoonPeer(arguments, classifier).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--uploads", required=True)
    parser.add_argument("--verdicts", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--wait-s", type=float, default=0.25)
    parser.add_argument("--second-look", action="store_true", help="with the scores that the service gives")
    parser.add_argument("--session-timeout-ms", type=int, default=10000)
    asyncio.run(main(parser.parse_args()))
