"""A dead letter is its record byte for byte, says what went wrong, and can be put back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate_consumer.delivery.dead_letters import DeadLetterWatch, dead_letter, errors_of, restore
from sluicegate_consumer.delivery.values import Delivered, Outcome, Partition, Record, Ticket
from sluicegate_consumer.errors import Poison
from sluicegate_schemas.message import Message

TICKET = Ticket(Partition("uploads", 3), 42, 1)
messages = st.builds(
    Message,
    st.none() | st.binary(),
    st.none() | st.binary(),
    st.lists(st.tuples(st.text(), st.binary())).map(tuple),
    st.none() | st.integers(0, 2**40),
).filter(lambda message: message.key is not None or message.value is not None)


@given(messages)
def test_a_replayed_dead_letter_is_the_record_that_it_was(message: Message):
    outcome = dead_letter(Delivered(TICKET, message, 0), topic="dead", stage="read", error=Poison("why"))
    assert Record("uploads", message) == restore(outcome.records[0].message)


def test_the_dead_letter_of_a_record_with_neither_key_nor_value_has_an_empty_key():
    nothing = Message(None, None, (("a", b"1"),), None)
    (record,) = dead_letter(Delivered(TICKET, nothing, 0), topic="dead", stage="read", error=Poison("why")).records
    assert (b"", None) == (record.message.key, record.message.value)
    assert Record("uploads", replace(nothing, key=b"")) == restore(record.message)


@given(messages)
def test_a_dead_letter_of_a_dead_letter_keeps_both_explanations(message: Message):
    once = dead_letter(Delivered(TICKET, message, 0), topic="dead", stage="read", error=Poison("first"))
    letter = once.records[0].message
    twice = dead_letter(Delivered(TICKET, letter, 0), topic="dead", stage="fetch", error=Poison("second"))
    assert "second" == errors_of(twice.records[0].message)["exception.message"]
    assert letter == restore(twice.records[0].message).message


def test_the_headers_say_where_it_came_from_and_why():
    outcome = dead_letter(
        Delivered(TICKET, Message(b"k", b"v", (), 1_700_000_000_000), 0),
        topic="dead",
        stage="fetch",
        error=Poison("no"),
        attempts=4,
    )
    expected = {
        "topic": "uploads",
        "partition": "3",
        "offset": "42",
        "timestamp": "1700000000000",
        "stage": "fetch",
        "exception.class.name": "Poison",
        "exception.message": "no",
        "attempts": "4",
    }
    assert expected == errors_of(outcome.records[0].message)
    assert outcome.dead_letter


def test_a_record_that_is_no_dead_letter_is_not_replayed():
    with pytest.raises(Poison, match="not a dead letter"):
        restore(Message(b"k", b"v", (("a", b"b"),)))


def test_a_letter_whose_headers_were_edited_by_hand_is_refused():
    (record,) = dead_letter(
        Delivered(TICKET, Message(b"k", b"v"), 0), topic="dead", stage="read", error=Poison("")
    ).records
    headers = tuple((name, b"noon" if name.endswith("timestamp") else value) for name, value in record.message.headers)
    with pytest.raises(Poison, match="is 'noon', should be milliseconds"):
        restore(Message(b"k", b"v", headers))


def outcome(*, dead: bool) -> Outcome:
    return Outcome(TICKET, (Record("t", Message(None, b"")),), dead_letter=dead)


def test_a_flood_is_more_than_the_share_of_a_whole_window():
    watch = DeadLetterWatch(window=10, max_share=0.5)
    for _ in range(5):
        watch.note(outcome(dead=True))
    assert not watch.flooded
    watch.note(outcome(dead=True))
    assert watch.flooded


def test_good_outcomes_push_dead_letters_out_of_the_window():
    watch = DeadLetterWatch(window=4, max_share=0.5)
    for dead in (True, True, True, False, False):
        watch.note(outcome(dead=dead))
    assert not watch.flooded
