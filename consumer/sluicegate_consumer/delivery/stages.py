"""What the engine runs: everything between a record and its outcome."""

import asyncio
from typing import Protocol

from sluicegate_consumer.delivery.values import Delivered, Outcome


class Stages(Protocol):
    """Turns deliveries into outcomes, in any order. Knows nothing of offsets, commits or groups."""

    @property
    def capacity(self) -> int:
        """Deliveries that may be inside at the same time."""

    async def run(self, inbox: asyncio.Queue[Delivered], outbox: asyncio.Queue[Outcome]) -> None:
        """Work until cancelled.

        For every delivery taken from `inbox` exactly one outcome is put to `outbox`. Whatever this raises ends the
        service without a commit. Neither queue ever refuses: the engine hands over no more than `capacity` deliveries.
        """
