"""What the engine tells whoever watches it."""

from typing import Protocol

from sluicegate_consumer.delivery.values import Outcome


class DeliveryObserver(Protocol):
    """Called on the event loop, for every batch of records or every outcome: it must be quick."""

    def received(self, records: int, in_flight: int) -> None:
        """Records arrived; so many are in flight now."""

    def acknowledged(self, outcome: Outcome) -> None:
        """The broker has an outcome."""

    def committed(self) -> None:
        """Offsets were committed."""

    def blocked(self, partitions: int) -> None:
        """So many partitions stand still, each behind a record that cannot be written."""

    def halted(self) -> None:
        """Consumption has stopped, as too many outcomes were dead letters."""
