"""One upload on its way to a verdict: what is known of it so far."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sluicegate_consumer.delivery.values import Delivered
from sluicegate_consumer.policy.rules import Policy
from sluicegate_schemas.events import ImageFacts, Timings, Upload, Verdict

NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Case:
    """Gathers facts as the stages find them out, so that a verdict can be written at any point, also a failed one."""

    delivered: Delivered
    upload: Upload
    inline: bytes | None
    """The image, where the upload carried it along."""
    traceparent: str | None
    policy: Policy
    provisional: Verdict | None = None
    """In the second tier: what the first tier decided."""
    image: ImageFacts = field(default_factory=ImageFacts)
    scores: dict[str, float] = field(default_factory=dict)
    """Of every label of the classifier, for the frame that scored worst."""
    category_scores: dict[str, float] = field(default_factory=dict)
    """The same in the policy's categories."""
    worst_frame: int | None = None
    timings: dict[str, float] = field(default_factory=dict)
    """Milliseconds, by the names of `Timings`."""

    def note_time(self, name: str, since_ns: int) -> float:
        """Keep how long a step took that began at `since_ns` (`perf_counter_ns`); returns seconds."""
        return self.note_span(name, since_ns, time.perf_counter_ns())

    def note_span(self, name: str, began_ns: int, ended_ns: int) -> float:
        """The same of a step that has ended."""
        elapsed_ns = ended_ns - began_ns
        self.timings[f"{name}_ms"] = elapsed_ns / NS_PER_MS
        return elapsed_ns / (1000 * NS_PER_MS)

    def note_queue(self, since: datetime) -> float:
        """Keep how long it lay in Kafka; returns seconds. Clocks of two machines may disagree: never less than 0."""
        waited = max(0.0, (datetime.now(UTC) - since).total_seconds())
        self.timings["queue_ms"] = waited * 1000
        return waited

    def all_timings(self) -> Timings:
        """What was noted, and the total up to now."""
        self.note_time("total", self.delivered.received_ns)
        return Timings.model_validate(self.timings)
