"""Small pictures for the report, made by the decoder that judged the images: in a process of its own, and bounded."""

import asyncio
import os

from sluicegate_consumer.demo.photographs import Submission
from sluicegate_consumer.demo.progress import Progress
from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.decoder import ProcessDecoder
from sluicegate_consumer.images.image import DecodeLimits, Decoder, Rendition
from sluicegate_consumer.pixels import Geometry
from sluicegate_schemas.events import Decision

SMALL = Rendition(max_edge=420, min_edge=64, max_ratio=4.0, quality=80)
NO_MODEL = Geometry(224, 224)
"""Nothing is decoded for a model here."""


async def thumbnails(progress: Progress) -> dict[str, bytes]:
    """JPEG by upload id, of the frame that decided; none where the image could not be decoded."""
    processes = len(os.sched_getaffinity(0))
    slots = asyncio.Semaphore(2 * processes)
    async with ProcessDecoder(NO_MODEL, DecodeLimits(), processes) as decoder:
        made = await asyncio.gather(
            *(_thumbnail(progress, submission, decoder, slots) for submission in progress.submissions)
        )
    return {submission.upload_id: jpeg for submission, jpeg in zip(progress.submissions, made, strict=True) if jpeg}


async def _thumbnail(
    progress: Progress, submission: Submission, decoder: Decoder, slots: asyncio.Semaphore
) -> bytes | None:
    verdict = progress.holding(submission)
    if verdict is None or verdict.decision is Decision.UNPROCESSABLE:
        return None
    async with slots:  # so many files in memory
        data = await asyncio.to_thread(submission.path.read_bytes)
        try:
            return (await decoder.render(data, verdict.worst_frame or 0, SMALL)).jpeg
        except Unprocessable:
            return None
