"""What the engine tells whoever watches it."""

from typing import Protocol


class DeliveryObserver(Protocol):
    """Called on the event loop, for every batch of records or every outcome: it must be quick."""

    def received(self, records: int) -> None:
        """So many records arrived."""

    def in_flight(self, records: int) -> None:
        """So many records are taken from the source and not yet acknowledged as handled."""

    def publish_failed(self, topic: str) -> None:
        """The broker did not acknowledge a record for this topic."""

    def committed(self, accepted: bool) -> None:
        """Offsets were committed, or the broker refused them."""

    def blocked(self, partitions: int) -> None:
        """So many partitions stand still, each behind a record that cannot be written."""

    def halted(self) -> None:
        """Consumption has stopped, as too many outcomes were dead letters."""
