"""Escalations that wait for somebody to ask."""

import asyncio
from collections import deque
from collections.abc import Callable

from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.policy.ruling import Ruling


class WaitingRoom:
    """First come, first served; and while nobody serves, whoever has waited too long may be let go."""

    def __init__(self) -> None:
        self._cases: deque[Case] = deque()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._cases)

    @property
    def first(self) -> Case | None:
        """The one whose turn is next."""
        return self._cases[0] if self._cases else None

    async def enter(self, case: Case) -> None:
        """Queue up."""
        self._cases.append(case)
        self._changed.set()

    def back_to_the_front(self, case: Case) -> None:
        """Return a case that could not be asked about after all."""
        self._cases.appendleft(case)
        self._changed.set()

    async def next(self) -> Case:
        """The one that has waited longest; waits until there is one."""
        while not self._cases:
            self._changed.clear()
            await self._changed.wait()
        return self._cases.popleft()

    def let_go(self, ruling_of: Callable[[Case], Ruling | None]) -> list[tuple[Case, Ruling]]:
        """Remove and return those for which there is a ruling; the others keep their order."""
        gone: list[tuple[Case, Ruling]] = []
        for _ in range(len(self._cases)):
            case = self._cases.popleft()
            if (ruling := ruling_of(case)) is None:
                self._cases.append(case)
            else:
                gone.append((case, ruling))
        return gone
