"""The edge at which records leave."""

import asyncio
from typing import Any, Protocol

from sluicegate_consumer.delivery.values import Record
from sluicegate_consumer.errors import SluicegateError


class Unwritable(SluicegateError):  # noqa: N818 - says what the record is
    """A record larger than the configured limit, or with neither key nor value. Others are not affected."""


class Sink(Protocol):
    """Writes records, each exactly once while the process lives."""

    async def start(self) -> None:
        """Connect, within a bounded time; it may be cancelled, and then leaves nothing open.

        Raises:
            Fatal: no broker answers.
            ConfigurationError: one does not let us in, or refuses a right.
        """

    async def send(self, record: Record) -> asyncio.Future[Any]:
        """Buffer a record, waiting while the buffer is full.

        Returns:
            A future that is done when every in-sync replica has the record, and that fails when nobody can tell any
            longer whether it ever will: with a ConfigurationError where the broker refuses us the right.

        Raises:
            Unwritable: the record is too large, or has neither key nor value; nothing was buffered.
        """

    def require_alive(self) -> None:
        """Check that whatever works for this sink in the background still does.

        Raises:
            Fatal: it does not, and nothing will ever be acknowledged.
        """

    async def stop(self) -> None:
        """Flush and disconnect, within a bounded time, whatever state the broker is in."""
