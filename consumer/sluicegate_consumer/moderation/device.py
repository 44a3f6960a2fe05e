"""The threads that own the model, mostly one, and what happens to a batch that fails on it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.models.classifier import Classifier, ModelCard
from sluicegate_consumer.pixels import Frame

Scores = NDArray[np.float32]


class Device:
    """Runs a classifier off the event loop, as many batches at a time as it takes; others may wait for it here."""

    def __init__(self, classifier: Classifier, timeout_s: float) -> None:
        self._classifier = classifier
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(max_workers=classifier.card.lanes, thread_name_prefix="device")
        self._last: asyncio.Future[Scores] | None = None
        self._hung = False

    @property
    def card(self) -> ModelCard:
        """What the model says of itself."""
        return self._classifier.card

    async def classify(self, images: Sequence[Sequence[Frame]]) -> list[Scores | Exception]:
        """Scores of each image's frames, shape (frames, labels), or what the runtime raised for it.

        A batch that fails is halved until what fails stands alone: one image never costs its neighbours theirs. Alone
        it is tried once more, since the fault may have been the device's and have passed.

        Raises:
            Fatal: the device did not answer in time.
        """
        try:
            return list(await self._classify(images))
        except Fatal:
            raise
        except Exception:  # noqa: BLE001 - a runtime raises what it likes
            if len(images) == 1:
                return [await self._once_more(images)]
        half = len(images) // 2
        return await self.classify(images[:half]) + await self.classify(images[half:])

    async def _once_more(self, image: Sequence[Sequence[Frame]]) -> Scores | Exception:
        try:
            (scores,) = await self._classify(image)
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            return error
        return scores

    async def _classify(self, images: Sequence[Sequence[Frame]]) -> list[Scores]:
        frames = [frame for image in images for frame in image]
        before, computing = (
            self._last,
            asyncio.get_running_loop().run_in_executor(self._thread, self._classifier.classify, frames),
        )
        self._last = computing
        if before is not None:  # whose time is not this one's
            await asyncio.wait({before}, timeout=self._timeout_s)
        done, _ = await asyncio.wait({computing}, timeout=self._timeout_s)
        if not done:
            self._hung = True
            raise Fatal(f"the device {self.card.device} did not answer within model.timeout_s={self._timeout_s}")
        scores = computing.result()
        if scores.shape != (len(frames), len(self.card.labels)):
            raise Fatal(f"{self.card.name} gave scores of shape {scores.shape} for {len(frames)} frames")
        ends = np.cumsum([len(image) for image in images])
        return np.split(scores, ends[:-1])

    def close(self) -> None:
        """Give thread and model back; where the thread hangs, both are left to the end of the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if not self._hung:
            self._classifier.close()
