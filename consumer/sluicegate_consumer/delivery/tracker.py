"""Which offsets may be committed: the delivered ones up to the first without an acknowledged outcome."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sluicegate_consumer.delivery.values import Partition, Ticket


@dataclass(slots=True)
class _Ledger:
    """The deliveries of one partition in one epoch.

    Offsets are those that were delivered, never computed: compaction and control records leave gaps.
    """

    epoch: int
    open: deque[int] = field(default_factory=deque)
    """Delivered, in order, from the first that is not acknowledged."""
    acknowledged: set[int] = field(default_factory=set)
    """Those of them that are acknowledged out of order."""
    done: deque[int] = field(default_factory=deque)
    """The acknowledged prefix, as far as it is not committed."""
    last: int | None = None
    """The last offset delivered."""

    def acknowledge(self, offset: int) -> None:
        self.acknowledged.add(offset)
        while self.open and self.open[0] in self.acknowledged:
            self.acknowledged.remove(self.open[0])
            self.done.append(self.open.popleft())

    def commit(self, next_offset: int) -> None:
        while self.done and self.done[0] < next_offset:
            self.done.popleft()


class Tracker:
    """The ledgers of all partitions that this process holds.

    Ledgers begin with a partition's first record, not with its assignment: records can arrive before the client has
    announced the assignment.
    """

    def __init__(self) -> None:
        self._ledgers: dict[Partition, _Ledger] = {}
        self._epoch = 0

    def delivered(self, partition: Partition, offset: int) -> Ticket:
        """Note a delivery; its ticket must be acknowledged before an offset from here on can be committed.

        Raises:
            ValueError: the offset is not beyond the last one delivered in this epoch.
        """
        ledger = self._ledgers.setdefault(partition, _Ledger(self._epoch))
        if ledger.last is not None and offset <= ledger.last:
            raise ValueError(
                f"{partition.topic}[{partition.number}] delivered offset {offset} after offset {ledger.last}"
            )
        ledger.last = offset
        ledger.open.append(offset)
        return Ticket(partition, offset, ledger.epoch)

    def holds(self, ticket: Ticket) -> bool:
        """Whether the ticket's partition is still ours in the epoch in which it was delivered."""
        ledger = self._ledgers.get(ticket.partition)
        return ledger is not None and ledger.epoch == ticket.epoch

    def acknowledged(self, ticket: Ticket) -> None:
        """Note that everything owed for a ticket is safe with the broker. Of an older epoch: nothing happens."""
        if self.holds(ticket):
            self._ledgers[ticket.partition].acknowledge(ticket.offset)

    def open(self, partitions: Iterable[Partition]) -> int:
        """How many deliveries of these partitions are not acknowledged."""
        return sum(len(ledger.open) - len(ledger.acknowledged) for ledger in self._of(partitions).values())

    def uncommitted(self, without: Collection[Partition] = ()) -> int:
        """How many deliveries are not committed: what would be done once more if this process were killed now."""
        return sum(
            len(ledger.open) + len(ledger.done)
            for partition, ledger in self._ledgers.items()
            if partition not in without
        )

    def committable(self, partitions: Iterable[Partition] | None = None) -> dict[Partition, int]:
        """The next offset to read, for each partition whose acknowledged prefix has grown since its last commit."""
        ledgers = self._ledgers if partitions is None else self._of(partitions)
        return {partition: ledger.done[-1] + 1 for partition, ledger in ledgers.items() if ledger.done}

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note a commit that the broker accepted."""
        for partition, ledger in self._of(offsets).items():
            ledger.commit(offsets[partition])

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget these partitions. Their open tickets belong to an older epoch from now on."""
        self._epoch += 1
        for partition in partitions:
            self._ledgers.pop(partition, None)

    def _of(self, partitions: Iterable[Partition]) -> dict[Partition, _Ledger]:
        return {partition: self._ledgers[partition] for partition in partitions if partition in self._ledgers}
