"""What is in the hands of the stages or on its way to the broker, and whether there is room for more."""

import asyncio
import time

from sluicegate_consumer.delivery.values import Outcome, Ticket


class InFlight:
    """Counts deliveries from their arrival until their outcome is acknowledged or dropped."""

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._sizes: dict[Ticket, int] = {}
        self._entered: dict[Ticket, float] = {}
        self._bytes = 0
        self._owed: set[Ticket] = set()
        self._sent: dict[Ticket, float] = {}
        self.changed = asyncio.Event()
        """Set whenever something leaves; whoever waits for it clears it first."""

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def room(self) -> int:
        """How many more records may be asked for; 0 also while those here are too many bytes."""
        return max(0, self._max_records - len(self._sizes)) if self._bytes < self._max_bytes else 0

    @property
    def oldest_sent(self) -> float | None:
        """When the outcome was sent that has waited longest for its acknowledgement, on the monotonic clock."""
        return next(iter(self._sent.values()), None)

    @property
    def oldest_s(self) -> float:
        """Seconds since the oldest delivery entered; 0 if there is none."""
        return time.monotonic() - next(iter(self._entered.values()), time.monotonic())

    def enter(self, ticket: Ticket, size: int) -> None:
        """A delivery goes to the stages."""
        self._sizes[ticket] = size
        self._entered[ticket] = time.monotonic()
        self._bytes += size
        self._owed.add(ticket)

    def answered(self, outcome: Outcome) -> None:
        """The stages have given their outcome.

        Raises:
            RuntimeError: they have given one before, or were never asked. A bug, and no commit can be trusted.
        """
        try:
            self._owed.remove(outcome.ticket)
        except KeyError:
            raise RuntimeError(f"an outcome that nobody is owed: {outcome.ticket}") from None

    def sent(self, ticket: Ticket) -> None:
        """The outcome is on its way to the broker."""
        self._sent[ticket] = time.monotonic()

    def leave(self, ticket: Ticket) -> None:
        """The outcome is acknowledged, or no longer counts."""
        self._sent.pop(ticket, None)
        del self._entered[ticket]
        self._bytes -= self._sizes.pop(ticket)
        self.changed.set()
