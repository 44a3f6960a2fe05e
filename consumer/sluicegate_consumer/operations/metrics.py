"""Every metric of both services: this file is their documentation.

The share of images that the first tier decided alone is one minus the rate of
`sluicegate_outcomes_total{stage="classifier",decision="escalated"}` over that of
`sluicegate_outcomes_total{stage="classifier"}`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from sluicegate_schemas.events import Decision, Stage

Step = Literal["queue", "fetch", "decode", "batch_wait", "inference", "total"]
CloseReason = Literal["size", "free", "deadline"]
OpinionResult = Literal["approve", "reject", "unsure", "invalid", "away"]

Labelled = TypeVar("Labelled", Counter, Histogram)

STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
OPINION_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
BATCH_FRAMES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What happened, told to Prometheus, by methods that never wait."""

    registry: CollectorRegistry
    _received: Counter
    _outcomes: Counter
    _dead_letters: Counter
    _step_seconds: Histogram
    _batch_frames: Histogram
    _in_flight: Gauge
    _commits: Counter
    _publish_failures: Counter
    _blocked: Gauge
    _halted: Gauge
    _opinion_seconds: Histogram
    _second_tier_available: Gauge
    _model: Info

    def received(self, records: int) -> None:
        """So many records came from Kafka."""
        self._received.inc(records)

    def outcome(self, stage: Stage, decision: Decision, category: str | None) -> None:
        """A verdict was acknowledged by the broker."""
        _labelled(self._outcomes, stage, decision, category or "").inc()

    def dead_letter(self, stage: str, error: BaseException) -> None:
        """A record became a dead letter because of `error`, in the step `stage`."""
        self._dead_letters.labels(stage, type(error).__name__).inc()

    def took(self, step: Step, seconds: float) -> None:
        """One image spent this long in one step."""
        _labelled(self._step_seconds, step).observe(seconds)

    def batch_closed(self, frames: int, reason: CloseReason) -> None:
        """A batch of so many frames went to the model."""
        self._batch_frames.labels(reason).observe(frames)

    def in_flight(self, records: int) -> None:
        """So many records are taken from Kafka and not yet acknowledged as handled."""
        self._in_flight.set(records)

    def committed(self, accepted: bool = True) -> None:
        """Offsets were committed, or the broker refused them."""
        self._commits.labels("accepted" if accepted else "refused").inc()

    def publish_failed(self, topic: str) -> None:
        """A record was not acknowledged by the broker."""
        self._publish_failures.labels(topic).inc()

    def blocked(self, partitions: int) -> None:
        """So many partitions stand still, each behind a record that cannot be written."""
        self._blocked.set(partitions)

    def halted(self) -> None:
        """Consumption has stopped: too many outcomes were dead letters."""
        self._halted.set(1)

    def opinion(self, result: OpinionResult, seconds: float) -> None:
        """The second tier was asked: what came of it, and how long that took, retries included."""
        self._opinion_seconds.labels(result).observe(seconds)

    def second_tier_available(self, available: bool) -> None:
        """Whether any server of the second tier can be asked."""
        self._second_tier_available.set(available)

    def model(self, name: str, digest: str, device: str, runtime: str, precision: str) -> None:
        """The model that this process asks."""
        facts = {"name": name, "digest": digest, "device": device, "runtime": runtime, "precision": precision}
        self._model.info(facts)


@lru_cache(maxsize=1024)
def _labelled(metric: Labelled, *values: str) -> Labelled:
    """A metric's child, kept: looking it up costs more than counting, and it is done for every step of every image."""
    return metric.labels(*values)


def new_metrics(registry: CollectorRegistry | None = None) -> Metrics:
    """All metrics, at zero, in `registry`; in one of their own where none is given."""
    registry = CollectorRegistry() if registry is None else registry
    return Metrics(
        registry,
        Counter("sluicegate_records_received", "Records taken from Kafka.", registry=registry),
        Counter(
            "sluicegate_outcomes",
            "Verdicts that the broker acknowledged, by who decided, what, and on which category.",
            ["stage", "decision", "category"],
            registry=registry,
        ),
        Counter(
            "sluicegate_dead_letters",
            "Records that became dead letters, by the step that failed and the kind of failure.",
            ["stage", "reason"],
            registry=registry,
        ),
        Histogram(
            "sluicegate_step_seconds",
            "Time of one image in one step: queue (uploaded to received), fetch, decode, batch_wait, "
            "inference (of its whole batch), total (received to decided).",
            ["step"],
            buckets=STEP_SECONDS,
            registry=registry,
        ),
        Histogram(
            "sluicegate_batch_frames",
            "Frames in a batch, by what closed it: size, free, deadline.",
            ["reason"],
            buckets=BATCH_FRAMES,
            registry=registry,
        ),
        Gauge("sluicegate_in_flight", "Records taken from Kafka and not yet handled.", registry=registry),
        Counter("sluicegate_commits", "Commits of offsets: accepted or refused.", ["result"], registry=registry),
        Counter("sluicegate_publish_failures", "Records that were not acknowledged.", ["topic"], registry=registry),
        Gauge("sluicegate_blocked_partitions", "Partitions behind an unwritable record.", registry=registry),
        Gauge("sluicegate_consumption_halted", "1: halted, too many dead letters.", registry=registry),
        Histogram(
            "sluicegate_opinion_seconds",
            "Questions to the second tier, by result: approve, reject, unsure, invalid, away.",
            ["result"],
            buckets=OPINION_SECONDS,
            registry=registry,
        ),
        Gauge("sluicegate_second_tier_available", "1: at least one server can be asked.", registry=registry),
        Info("sluicegate_model", "The model that this process asks.", registry=registry),
    )
