"""A second tier without a server: for tests that must be fast, or need certain answers."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from sluicegate_consumer.second_opinion.breaker import State
from sluicegate_consumer.second_opinion.opinion import Opinion, Question, SecondTierAway

APPROVAL = Opinion(
    answer="approve",
    category=None,
    sign=None,
    score=0.01,
    model="memory",
    digest=f"sha256:{'0' * 64}",
    seconds=0.0,
)


class MemoryTier:
    """A `SecondTier` that answers from a script.

    Args:
        script: what the next questions get, in order: opinions are returned, exceptions raised.
        otherwise: the opinion once the script has ended.
    """

    def __init__(self, script: Iterable[Opinion | Exception] = (), *, otherwise: Opinion = APPROVAL) -> None:
        self.script = deque(script)
        """May be added to at any time."""
        self.otherwise = otherwise
        """May be replaced at any time."""
        self.asked: list[Question] = []
        """Every question that was answered, in order."""
        self._present = asyncio.Event()
        self._present.set()

    def leave(self) -> None:
        """From now on no server answers."""
        self._present.clear()

    def come_back(self) -> None:
        """From now on one does."""
        self._present.set()

    @property
    def available(self) -> bool:
        """Whether it has not left."""
        return self._present.is_set()

    @property
    def breakers(self) -> Mapping[str, State]:
        """Of its one server."""
        return {"memory": State.CLOSED if self.available else State.OPEN}

    async def wait_available(self) -> None:
        """Return once it is there."""
        await self._present.wait()

    async def ask(self, question: Question) -> Opinion:
        """What the script says next."""
        # As with a server, others run meanwhile.
        await asyncio.sleep(0)
        if not self.available:
            raise SecondTierAway("the second tier has left")
        self.asked.append(question)
        answer = self.script.popleft() if self.script else self.otherwise
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Nothing is held."""
