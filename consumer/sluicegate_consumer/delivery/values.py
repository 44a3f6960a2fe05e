"""What the engine hands to a service, and what it wants back."""

from dataclasses import dataclass
from typing import NamedTuple

from sluicegate_schemas.message import Message


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record as the source read it, not tracked yet."""

    partition: Partition
    offset: int
    message: Message

    @property
    def size(self) -> int:
        """Bytes of key and value: what it holds of the memory budget."""
        return len(self.message.key or b"") + len(self.message.value or b"")


class Ticket(NamedTuple):
    """Names one delivery of one record. A record delivered again, in a later epoch, has another ticket."""

    partition: Partition
    offset: int
    epoch: int
    """Of the assignment; what belongs to an older epoch than the partition's present one no longer counts."""

    def __str__(self) -> str:
        return f"{self.partition.topic}[{self.partition.number}] offset {self.offset}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A record in the hands of a service, which owes an outcome for its ticket."""

    ticket: Ticket
    message: Message
    received_ns: int
    """`time.perf_counter_ns()` when it was received."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record to write."""

    topic: str
    message: Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery: the records that must be acknowledged before its offset may move.

    At least one, always: even a record that nobody can read leaves its dead letter.
    """

    ticket: Ticket
    records: tuple[Record, ...]
    dead_letter: bool = False

    def __post_init__(self) -> None:
        if not self.records:
            raise ValueError(f"an outcome without records would lose {self.ticket}: write at least a dead letter")
