"""The edge at which records arrive and offsets are committed."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from sluicegate_consumer.delivery.values import Arrival, Partition

Revoked = Callable[[Collection[Partition]], Awaitable[None]]
"""Called when partitions are about to be taken away, and awaited: the last moment to commit for them."""


class Source(Protocol):
    """One topic, read as a member of a group.

    After anything that `receive` raises, the next call goes on behind the last record it returned: none is skipped.
    """

    async def start(self, revoked: Revoked) -> None:
        """Join the group, within a bounded time; it may be cancelled, and then leaves nothing open.

        Raises:
            Fatal: no broker answers, or none takes it in.
            ConfigurationError: one does not let us in, or refuses a right.
        """

    async def receive(
        self, max_records: int, timeout_s: float, without: Collection[Partition] = ()
    ) -> Sequence[Arrival]:
        """At most `max_records` records, of partitions other than `without`; empty after `timeout_s`.

        Raises:
            Transient: the broker failed in a way that may pass.
            Fatal: it failed in a way that will not.
            ConfigurationError: it refuses us the right.
        """

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the next offset to read of each partition, within a bounded time.

        Raises:
            Transient: the commit was not accepted; the records from the last accepted one on will come again.
            ConfigurationError: the broker refuses us the right.
        """

    async def behind(self) -> Mapping[Partition, int]:
        """How many records of each of this member's partitions it has not handed over yet, within a bounded time.

        A partition of which nobody says is left out, and named in the log when that changes.

        Raises:
            Transient: nobody says it of any.
        """

    def require_alive(self) -> None:
        """Check that whatever works for this source in the background still does.

        Raises:
            Fatal: it does not, and nothing will ever come.
        """

    async def stop(self) -> None:
        """Leave the group, within a bounded time, whatever state the broker is in."""
