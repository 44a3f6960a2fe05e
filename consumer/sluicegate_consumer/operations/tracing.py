"""What was processed together, for whoever keeps traces: one span for each batch, linked to its messages.

A span says how many messages there were, where they lay and what became of them; never what was in them: no upload id,
no URI, no text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Processed:
    """Messages of one topic that were processed together, or one that left alone."""

    topic: str
    messages: Sequence["Origin"]
    """At least one."""
    began_ns: int
    """`time.perf_counter_ns()` when the first of them was received; they are done now."""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """Counts and codes of our own, by short names."""
    error: str | None = None
    """The kind of failure, where there is no verdict because of it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message lay, and the trace that it belongs to."""

    partition: int
    offset: int
    traceparent: str | None
    """W3C Trace Context; None where the message carried none."""


class Tracing(Protocol):
    """Keeps spans. Called on the event loop, for every batch: it must be quick, and never fails."""

    @property
    def on(self) -> bool:
        """Whether anything is kept: else a batch need not even be described."""

    def processed(self, batch: Processed) -> None:
        """These messages have their outcomes."""


class NoTracing:
    """Keeps nothing: what a service does unless a collector is configured."""

    on = False

    def processed(self, batch: Processed) -> None:
        """Nothing happens."""


class MemoryTracing:
    """Keeps everything, for tests."""

    on = True

    def __init__(self) -> None:
        self.batches: list[Processed] = []

    def processed(self, batch: Processed) -> None:
        """Keep it."""
        self.batches.append(batch)
