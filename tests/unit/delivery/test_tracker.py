"""Only the contiguous acknowledged prefix is ever committed, whatever order things happen in."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sluicegate_consumer.delivery.tracker import Tracker
from sluicegate_consumer.delivery.values import Partition, Ticket

UPLOADS = Partition("uploads", 0)
OTHER = Partition("uploads", 1)


def test_nothing_is_committable_before_the_first_acknowledgement():
    tracker = Tracker()
    tracker.delivered(UPLOADS, 0)
    assert {} == tracker.committable()


def test_an_acknowledgement_out_of_order_moves_nothing_until_the_gap_closes():
    tracker = Tracker()
    first, second, third = (tracker.delivered(UPLOADS, offset) for offset in (5, 6, 7))
    tracker.acknowledged(second)
    tracker.acknowledged(third)
    assert {} == tracker.committable()
    tracker.acknowledged(first)
    assert {UPLOADS: 8} == tracker.committable()


def test_gaps_left_by_compaction_are_no_missing_acknowledgements():
    tracker = Tracker()
    for ticket in [tracker.delivered(UPLOADS, offset) for offset in (3, 90, 4000)]:
        tracker.acknowledged(ticket)
    assert {UPLOADS: 4001} == tracker.committable()


def test_what_was_committed_is_not_committed_again():
    tracker = Tracker()
    tracker.acknowledged(tracker.delivered(UPLOADS, 0))
    tracker.committed(tracker.committable())
    assert {} == tracker.committable()


def test_what_is_done_behind_a_gap_counts_as_uncommitted_until_it_is():
    tracker = Tracker()
    first, second, _ = (tracker.delivered(UPLOADS, offset) for offset in (5, 6, 7))
    tracker.acknowledged(second)
    assert (3, 0) == (tracker.uncommitted(), tracker.uncommitted(without=[UPLOADS]))
    tracker.acknowledged(first)
    assert 3 == tracker.uncommitted()
    tracker.committed(tracker.committable())
    assert 1 == tracker.uncommitted()


def test_an_acknowledgement_from_before_a_revocation_does_not_count():
    tracker = Tracker()
    stale = tracker.delivered(UPLOADS, 0)
    tracker.revoke([UPLOADS])
    fresh = tracker.delivered(UPLOADS, 0)
    tracker.acknowledged(stale)
    assert {} == tracker.committable()
    assert (False, True) == (tracker.holds(stale), tracker.holds(fresh))


def test_revoking_one_partition_leaves_the_tickets_of_another_valid():
    tracker = Tracker()
    kept = tracker.delivered(OTHER, 0)
    tracker.delivered(UPLOADS, 0)
    tracker.revoke([UPLOADS])
    tracker.acknowledged(kept)
    assert {OTHER: 1} == tracker.committable()


def test_an_offset_delivered_twice_in_one_epoch_is_an_error_that_names_both():
    tracker = Tracker()
    tracker.delivered(UPLOADS, 7)
    with pytest.raises(ValueError, match=r"uploads\[0\] delivered offset 7 after offset 7"):
        tracker.delivered(UPLOADS, 7)


class TrackerMachine(RuleBasedStateMachine):
    """Against the plainest model: a list of (offset, acknowledged) per epoch."""

    @initialize()
    def begin(self) -> None:
        self.tracker = Tracker()
        self.model: list[tuple[int, Ticket]] = []
        self.acknowledged: set[int] = set()
        self.stale: list[Ticket] = []
        self.offset = 0
        self.last_commit = 0

    @rule(gap=st.integers(1, 50))
    def deliver(self, gap: int) -> None:
        self.offset += gap
        self.model.append((self.offset, self.tracker.delivered(UPLOADS, self.offset)))

    @precondition(lambda self: len(self.model) > len(self.acknowledged))
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        waiting = [entry for entry in self.model if entry[0] not in self.acknowledged]
        offset, ticket = data.draw(st.sampled_from(waiting))
        self.tracker.acknowledged(ticket)
        self.acknowledged.add(offset)

    @rule()
    def commit(self) -> None:
        offsets = self.tracker.committable()
        self.tracker.committed(offsets)
        self.last_commit = offsets.get(UPLOADS, self.last_commit)

    @rule()
    def revoke(self) -> None:
        """What was not committed is delivered again, in a new epoch."""
        self.tracker.revoke([UPLOADS])
        self.stale += [ticket for _, ticket in self.model]
        self.model.clear()
        self.acknowledged.clear()
        self.offset = max(self.last_commit - 1, 0)

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def acknowledge_late(self, data: st.DataObject) -> None:
        self.tracker.acknowledged(data.draw(st.sampled_from(self.stale)))

    @invariant()
    def commits_exactly_the_acknowledged_prefix(self) -> None:
        prefix = self.last_commit
        for offset, _ in self.model:
            if offset not in self.acknowledged:
                break
            prefix = offset + 1
        expected = {UPLOADS: prefix} if prefix != self.last_commit else {}
        assert expected == self.tracker.committable()

    @invariant()
    def counts_what_a_crash_would_repeat(self) -> None:
        assert len([offset for offset, _ in self.model if offset >= self.last_commit]) == self.tracker.uncommitted()

    @invariant()
    def counts_what_is_open(self) -> None:
        assert len(self.model) - len(self.acknowledged) == self.tracker.open([UPLOADS])


TestTrackerMachine = TrackerMachine.TestCase
