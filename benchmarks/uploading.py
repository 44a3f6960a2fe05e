"""Uploads: a backlog that lies there before anybody begins, or a stream at a given rate."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle

from sluicegate_producer import About, UploadPublisher


async def upload_backlog(servers: str, topic: str, uris: Sequence[str], count: int, label: str = "upload") -> None:
    """Publish `count` uploads of these images in turn; returns when the broker has them all."""
    async with UploadPublisher(servers, topic=topic) as publisher:
        receipts = [
            await publisher.submit_uri(uri, About(upload_id=f"{label}-{number}"))
            for number, uri in zip(range(count), cycle(uris), strict=False)
        ]
        await asyncio.gather(*receipts)


async def upload_stream(
    servers: str, topic: str, uris: Sequence[str], *, rate: float, seconds: float, label: str
) -> tuple[int, float]:
    """Publish uploads at random moments, `rate` each second on average, whatever the consumer does with them.

    Each carries the moment at which it was due, not that at which it was sent: if this process is late, so is the
    verdict, and the latency says so (no coordinated omission).

    Returns:
        How many, and by how many seconds the latest was sent late.
    """
    async with UploadPublisher(servers, topic=topic) as publisher:
        begin, receipts, worst = time.time(), [], 0.0
        for number, (after_s, uri) in enumerate(zip(poisson(rate, seconds, label), cycle(uris), strict=False)):
            due = begin + after_s
            await asyncio.sleep(max(0.0, due - time.time()))
            worst = max(worst, time.time() - due)
            about = About(upload_id=f"{label}-{number}", uploaded_at=datetime.fromtimestamp(due, UTC))
            receipts.append(await publisher.submit_uri(uri, about))
        await asyncio.gather(*receipts)
    return len(receipts), worst


def poisson(rate: float, seconds: float, seed: str) -> Iterator[float]:
    """Moments of a Poisson process, in seconds from now: users do not agree on when to upload."""
    draw = random.Random(seed)
    moment = draw.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += draw.expovariate(rate)
