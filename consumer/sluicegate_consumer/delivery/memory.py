"""The two edges of delivery without a broker: for tests that must be fast."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sluicegate_consumer.delivery.sink import Unwritable
from sluicegate_consumer.delivery.source import Revoked
from sluicegate_consumer.delivery.values import Arrival, Partition, Record
from sluicegate_consumer.errors import Transient
from sluicegate_schemas.message import Message


class MemoryBroker:
    """Logs of topics with one partition each, shared by any number of sources and sinks."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Message]] = {}
        self.commits: list[dict[Partition, int]] = []
        """Every accepted commit, in order."""
        self.refuse_commits = False
        self.grown = asyncio.Event()

    def append(self, record: Record) -> None:
        """Write a record as a sink would."""
        self.topics.setdefault(record.topic, []).append(record.message)
        self.grown.set()

    def committed(self, topic: str) -> int:
        """The offset from which a new member would read."""
        partition = Partition(topic, 0)
        return next((commit[partition] for commit in reversed(self.commits) if partition in commit), 0)


class MemorySource:
    """Reads one topic of a `MemoryBroker`."""

    def __init__(self, broker: MemoryBroker, topic: str) -> None:
        self._broker = broker
        self._partition = Partition(topic, 0)

    async def start(self, revoked: Revoked) -> None:
        """Begin at the committed offset."""
        self._revoked = revoked
        self._next = self._broker.committed(self._partition.topic)

    async def receive(
        self, max_records: int, timeout_s: float, without: Collection[Partition] = ()
    ) -> Sequence[Arrival]:
        """Records as they come."""
        log = self._broker.topics.setdefault(self._partition.topic, [])
        if self._partition in without or len(log) == self._next:
            self._broker.grown.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._broker.grown.wait()
            except TimeoutError:
                return []
        if self._partition in without:
            return []
        first, self._next = self._next, min(self._next + max_records, len(log))
        return [Arrival(self._partition, offset, log[offset]) for offset in range(first, self._next)]

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Accept a commit, unless told to refuse."""
        if self._broker.refuse_commits:
            raise Transient("the broker refuses commits")
        self._broker.commits.append(dict(offsets))

    async def rebalance(self) -> None:
        """Take the partition away and give it back: what was not committed comes again."""
        await self._revoked([self._partition])
        self._next = self._broker.committed(self._partition.topic)

    async def behind(self) -> Mapping[Partition, int]:
        """Records from the next one to the end."""
        return {self._partition: len(self._broker.topics.get(self._partition.topic, [])) - self._next}

    def require_alive(self) -> None:
        """Nothing works in the background."""

    async def stop(self) -> None:
        """Nothing is left to do."""


class MemorySink:
    """Writes to a `MemoryBroker`; can be told to hold its acknowledgements back."""

    def __init__(self, broker: MemoryBroker, max_bytes: int = 1024 * 1024) -> None:
        self._broker = broker
        self._max_bytes = max_bytes
        self.holding = False
        self.held: list[tuple[Record, asyncio.Future[Any]]] = []

    async def start(self) -> None:
        """Nothing to connect to."""

    async def send(self, record: Record) -> asyncio.Future[Any]:
        """Append at once, or hold."""
        if record.message.key is None and record.message.value is None:
            raise Unwritable(f"a record for {record.topic} with neither key nor value; must have one")
        if len(record.message.value or b"") > self._max_bytes:
            raise Unwritable(f"a record for {record.topic} is larger than {self._max_bytes} bytes")
        acknowledged: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.held.append((record, acknowledged))
        if not self.holding:
            self.release()
        return acknowledged

    def release(self) -> None:
        """Append and acknowledge everything that is held."""
        for record, acknowledged in self.held:
            self._broker.append(record)
            acknowledged.set_result(None)
        self.held.clear()

    def require_alive(self) -> None:
        """Nothing works in the background."""

    async def stop(self) -> None:
        """Flush."""
        self.release()
