"""What the second tier tells whoever watches its servers."""

from typing import Protocol


class ServerObserver(Protocol):
    """Called on the event loop, for every attempt: it must be quick."""

    def answered(self, server: str, seconds: float) -> None:
        """The server at `server`, host and port, gave a valid answer."""

    def failed(self, server: str, reason: str) -> None:
        """It gave none, for a reason that `failures` or `reading` names."""


class NobodyWatches:
    """A `ServerObserver` that keeps nothing."""

    def answered(self, server: str, seconds: float) -> None:
        """Nothing happens."""

    def failed(self, server: str, reason: str) -> None:
        """Nothing happens."""
