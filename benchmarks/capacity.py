"""From what one event costs to what a platform needs: arithmetic on measured constants, for `docs/scaling.md`."""

import math
from dataclasses import dataclass

SECONDS_PER_DAY = 86400
HEADROOM = 0.7
"""Share of its capacity that a replica is planned for: at 70 % the p99 of latency was a fifth to a third of a second,
at 90 % more than half of one; and what piled up during an outage is worked off in a little more than twice as long."""
RATES = (1_000, 100_000)
"""Uploads each second that the documentation computes."""
GPU_GOAL_PER_S = 5000.0
"""Images that one H200 is to judge with ViT-B/16, end to end at 0.3 MP. A goal: no GPU has been measured."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured, for one replica of one kind."""

    images_per_s: float
    """That one replica judges at full load."""
    cpu_s_per_image: float
    memory_bytes: float
    """Of one replica."""
    image_bytes: float
    """Of an encoded image."""
    upload_bytes: float
    """Of an upload's record that refers to its image."""
    verdict_bytes: float


@dataclass(frozen=True, slots=True)
class Need:
    """What a rate of uploads takes."""

    uploads_per_s: float
    replicas: int
    partitions: int
    cores: float
    """Busy ones, on average."""
    memory_bytes: float
    referring_bytes_per_s: float
    """Into Kafka and out of it, with uploads that refer to their image; each replica of the log beyond the first adds
    the incoming half again."""
    inline_bytes_per_s: float
    """The same with uploads that carry their image along."""
    store_bytes_per_s: float
    """Out of the object store, with uploads that refer to their image."""
    log_bytes_per_day: float
    """Of uploads and verdicts, one replica of the log, with uploads that refer to their image."""
    inline_log_bytes_per_day: float


def need(uploads_per_s: float, costs: Costs, headroom: float = HEADROOM) -> Need:
    """Replicas, partitions, bandwidth and disk for a rate of uploads.

    Partitions are the next power of two that gives each replica two at least: a partition has one reader, and a topic
    whose number of partitions grows later sends the uploads of one id to another partition.

    Raises:
        ValueError: the rate, a cost or the headroom is not positive, or the headroom is beyond 1.
    """
    replicas = devices(uploads_per_s, costs.images_per_s, headroom)
    referring = costs.upload_bytes + costs.verdict_bytes
    inline = referring + costs.image_bytes
    return Need(
        uploads_per_s=uploads_per_s,
        replicas=replicas,
        partitions=2 ** math.ceil(math.log2(2 * replicas)),
        cores=uploads_per_s * costs.cpu_s_per_image,
        memory_bytes=replicas * costs.memory_bytes,
        referring_bytes_per_s=2 * uploads_per_s * referring,
        inline_bytes_per_s=2 * uploads_per_s * inline,
        store_bytes_per_s=uploads_per_s * costs.image_bytes,
        log_bytes_per_day=SECONDS_PER_DAY * uploads_per_s * referring,
        inline_log_bytes_per_day=SECONDS_PER_DAY * uploads_per_s * inline,
    )


def devices(uploads_per_s: float, per_device_per_s: float, headroom: float = HEADROOM) -> int:
    """Replicas, or GPUs, that a rate of uploads takes.

    Raises:
        ValueError: the rate, what a device does or the headroom is not positive, or the headroom is beyond 1.
    """
    if uploads_per_s <= 0 or per_device_per_s <= 0 or not 0 < headroom <= 1:
        raise ValueError(f"{uploads_per_s=}, {per_device_per_s=}, {headroom=}: must be positive, headroom at most 1")
    return math.ceil(uploads_per_s / (per_device_per_s * headroom))
