"""The first step of either tier: the image of a case, from its store or from the upload itself."""

import time

from sluicegate_consumer.images.fetcher import accept_inline
from sluicegate_consumer.images.image import FetchedImage, Fetcher
from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.operations.metrics import Metrics


class Fetching:
    """Gets images, and notes how long each took.

    Args:
        fetcher: For those that lie in a store.
        inline_bytes: Size of an image that an upload may carry along.
        metrics: What is told the times.
    """

    def __init__(self, fetcher: Fetcher, inline_bytes: int, metrics: Metrics) -> None:
        self._fetcher = fetcher
        self._inline_bytes = inline_bytes
        self._metrics = metrics

    async def image_of(self, case: Case) -> FetchedImage:
        """Encoded bytes and their digest; raises as `Fetcher` does."""
        began = time.perf_counter_ns()
        if case.upload.image is None:
            image = await accept_inline(case.inline or b"", self._inline_bytes)
        else:
            image = await self._fetcher.fetch(case.upload.image)
        self._metrics.took("fetch", case.note_time("fetch", began))
        return image
