"""The content of a Kafka record, as every room sees it."""

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Key, value and headers of a record, byte for byte and in their order.

    `timestamp_ms` is the record's own timestamp, milliseconds since the epoch; None lets the broker set it.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int | None = None

    def header(self, name: str) -> bytes | None:
        """The last value of a header, as Kafka's own clients read it; None where it is absent."""
        for key, value in reversed(self.headers):
            if key == name:
                return value
        return None
