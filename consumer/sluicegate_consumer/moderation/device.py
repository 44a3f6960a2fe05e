"""The threads that own the model, mostly one, and what happens to a batch that fails on it."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.models.classifier import Classifier, ModelCard
from sluicegate_consumer.pixels import Frame

Scores = NDArray[np.float32]
Images = Sequence[Sequence[Frame]]
"""The frames of each image."""
Answer = Scores | Exception
"""Scores of an image's frames, shape (frames, labels), or what the runtime raised for it."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What became of a batch, and when: in `perf_counter_ns`, what it waited for others not counted."""

    answers: list[Answer]
    """One for each image."""
    began_ns: int
    ended_ns: int


class _Call:
    """One call of the classifier, which knows when its turn came: the time before it is that of others."""

    def __init__(self, classifier: Classifier, images: Images) -> None:
        self._classifier = classifier
        self.images = images
        self.frames = [frame for image in images for frame in image]
        self.began_ns = 0
        """In `perf_counter_ns`; 0 before its turn."""

    def __call__(self) -> Scores:
        self.began_ns = time.perf_counter_ns()
        return self._classifier.classify(self.frames)

    @property
    def seconds(self) -> float:
        """How long it has been computed; 0 before its turn."""
        return (time.perf_counter_ns() - self.began_ns) / 1e9 if self.began_ns else 0.0


class Device:
    """Runs a classifier off the event loop, as many batches at a time as it takes; others may wait for it here."""

    def __init__(self, classifier: Classifier, timeout_s: float) -> None:
        self._classifier = classifier
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(max_workers=classifier.card.lanes, thread_name_prefix="device")
        self._hung = False
        self._free_since_ns = 0
        """When it ended a batch last."""

    @property
    def card(self) -> ModelCard:
        """What the model says of itself."""
        return self._classifier.card

    async def classify(self, images: Images) -> Computed:
        """Have a batch computed.

        A batch that fails is halved until what fails stands alone: one image never costs its neighbours theirs. Alone
        it is tried once more, since the fault may have been the device's and have passed.

        Raises:
            Fatal: the device did not answer in time.
        """
        call = _Call(self._classifier, images)
        answers = await self._answers(call)
        # A lane that copies while another computes has begun to compute when that one ended.
        copied_until_ns = self._free_since_ns if self.card.lanes > self.card.side_by_side else 0
        self._free_since_ns = time.perf_counter_ns()
        return Computed(answers, max(call.began_ns, copied_until_ns), self._free_since_ns)

    async def _answers(self, call: _Call) -> list[Answer]:
        try:
            return list(await self._scores(call))
        except Fatal:
            raise
        except Exception:  # noqa: BLE001 - a runtime raises what it likes
            if len(call.images) == 1:
                return [await self._once_more(call.images)]
        half = len(call.images) // 2
        first, second = call.images[:half], call.images[half:]
        return [
            *await self._answers(_Call(self._classifier, first)),
            *await self._answers(_Call(self._classifier, second)),
        ]

    async def _once_more(self, image: Images) -> Answer:
        try:
            (scores,) = await self._scores(_Call(self._classifier, image))
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            return error
        return scores

    async def _scores(self, call: _Call) -> list[Scores]:
        computing = asyncio.get_running_loop().run_in_executor(self._threads, call)
        while not computing.done():
            await asyncio.wait({computing}, timeout=self._timeout_s - call.seconds)
            # Either this call hangs, or the one that it waits behind.
            if not computing.done() and (self._hung or call.seconds >= self._timeout_s):
                self._hung = True
                raise Fatal(f"the device {self.card.device} did not answer within model.timeout_s={self._timeout_s}")
        scores = computing.result()
        if scores.shape != (len(call.frames), len(self.card.labels)):
            raise Fatal(f"{self.card.name} gave scores of shape {scores.shape} for {len(call.frames)} frames")
        ends = np.cumsum([len(image) for image in call.images])
        return np.split(scores, ends[:-1])

    def close(self) -> None:
        """Give threads and model back; where a thread hangs, both are left to the end of the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if not self._hung:
            self._classifier.close()
