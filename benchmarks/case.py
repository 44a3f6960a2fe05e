"""What is judged: a model, images of one kind, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contender import Contender
from sluicegate_consumer.operations.settings import BatchSettings
from trial import Bench, Throughput, work_off

BATCH = BatchSettings().max_frames
"""Frames in a full batch: the service's default, and the peer's."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model on images of one size."""

    name: str
    model: str
    images: Sequence[Path]
    seconds: float
    """For each measurement."""

    @property
    def uris(self) -> list[str]:
        """Of the images."""
        return [image.as_uri() for image in self.images]

    async def work_off(
        self, bench: Bench, contenders: Sequence[Contender], expected_per_s: float, partitions: int = 1
    ) -> Throughput:
        """See `trial.work_off`."""
        return await work_off(
            bench,
            contenders,
            self.uris,
            expected_per_s=expected_per_s,
            seconds=self.seconds,
            partitions=partitions,
        )
