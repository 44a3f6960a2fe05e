"""Several servers of one model: the least busy one that can be asked is asked next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sluicegate_consumer.second_opinion.breaker import Breaker
from sluicegate_consumer.second_opinion.client import OllamaServer
from sluicegate_consumer.second_opinion.startup import Checked


@dataclass(slots=True, eq=False)
class Replica:
    """One server, whether it may be asked, and how busy it is with our questions."""

    server: OllamaServer
    breaker: Breaker
    checked: Checked | None = None
    """None until its model was checked for the first time."""
    in_flight: int = 0


class AllOpen(Exception):  # noqa: N818 - says what is the case
    """No server can be asked: every breaker is open."""


class Servers:
    """Hands out places at servers.

    Args:
        replicas: at least one.
        places: questions that one of them is asked at the same time.
    """

    def __init__(self, replicas: Sequence[Replica], places: int) -> None:
        self.replicas = tuple(replicas)
        self._places = places
        # Its waiters take turns in the order of their arrival, so nobody is overtaken.
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()

    @property
    def available(self) -> bool:
        """Whether any may be asked."""
        return any(replica.breaker.closed for replica in self.replicas)

    async def take(self, avoid: Replica | None = None) -> Replica:
        """A place at the least busy server, waited for if all are busy; to be given back.

        Args:
            avoid: asked only if no other has a place: it has just failed.

        Raises:
            AllOpen: there is none to wait for.
        """
        async with self._turn:
            replica = await self._free(avoid)
            replica.in_flight += 1
            return replica

    def give_back(self, replica: Replica) -> None:
        """The place is free for whoever waits."""
        replica.in_flight -= 1
        self.changed()

    async def wait_available(self) -> None:
        """Return once any may be asked."""
        while not self.available:
            await self.news()

    async def news(self) -> None:
        """Return at the next change."""
        await self._news.wait()

    def changed(self) -> None:
        """Wake everybody who waits for a place or a server: a breaker has moved, or a place is free."""
        self._news.set()
        self._news = asyncio.Event()

    async def _free(self, avoid: Replica | None) -> Replica:
        while True:
            usable = [replica for replica in self.replicas if replica.breaker.closed]
            if not usable:
                raise AllOpen
            free = [replica for replica in usable if replica.in_flight < self._places]
            if free:
                return min(free, key=lambda replica: (replica is avoid, replica.in_flight))
            await self.news()
