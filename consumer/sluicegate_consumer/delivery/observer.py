"""What the engine tells whoever watches it."""

from collections.abc import Iterable
from typing import Protocol

from sluicegate_consumer.delivery.values import Partition


class DeliveryObserver(Protocol):
    """Called on the event loop, for every batch of records or every outcome: it must be quick."""

    def received(self, records: int) -> None:
        """So many records arrived."""

    def in_flight(self, records: int) -> None:
        """So many records are taken from the source and not yet acknowledged as handled."""

    def oldest_in_flight(self, seconds: float) -> None:
        """The oldest of them was received so long ago; 0: there is none."""

    def lag(self, records: Iterable[tuple[Partition, int]]) -> None:
        """So many records of each partition that this member holds are not handled: not read yet, or in flight.

        Of a partition that is not among them nothing is known: it is another member's, or no broker speaks for it.
        """

    def revoked(self, partitions: int) -> None:
        """So many partitions were taken away."""

    def acknowledged(self, dead_letter: bool, seconds: float) -> None:
        """The broker has all that was owed for one record, so long after it was sent."""

    def publish_failed(self) -> None:
        """The broker did not acknowledge what was owed for one record."""

    def committed(self, accepted: bool) -> None:
        """Offsets were committed, or the broker refused them."""

    def blocked(self, partitions: int) -> None:
        """So many partitions stand still, each behind a record that cannot be written."""

    def halted(self) -> None:
        """Consumption has stopped, as too many outcomes were dead letters."""
