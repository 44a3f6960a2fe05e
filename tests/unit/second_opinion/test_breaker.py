"""A server that fails is left alone, probed, and asked again only when a probe succeeds."""

import pytest

from sluicegate_consumer.second_opinion.breaker import Breaker, State


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, probe_s=5.0, clock=clock)


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker):
    for outcome in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        outcome()
        assert breaker.closed
    breaker.failed()
    assert State.OPEN is breaker.state


def test_a_probe_is_due_after_its_time(breaker: Breaker, clock: Clock):
    assert breaker.probe_in() is None
    breaker.trip()
    assert 5.0 == breaker.probe_in()
    clock.now = 4.0
    assert 1.0 == breaker.probe_in()
    clock.now = 9.0
    assert 0.0 == breaker.probe_in()


def test_a_probe_that_succeeds_closes_it_and_forgets(breaker: Breaker):
    breaker.trip()
    breaker.begin_probe()
    assert (State.HALF_OPEN, None, False) == (breaker.state, breaker.probe_in(), breaker.closed)
    breaker.close()
    breaker.failed()
    assert breaker.closed


def test_a_probe_that_fails_opens_it_anew(breaker: Breaker, clock: Clock):
    breaker.trip()
    clock.now = 5.0
    breaker.begin_probe()
    breaker.trip()
    assert 5.0 == breaker.probe_in()


def test_answers_are_counted_and_probes_that_succeed_among_them(breaker: Breaker):
    for outcome in (breaker.succeeded, breaker.failed, breaker.trip, breaker.begin_probe, breaker.close):
        outcome()
    assert 2 == breaker.answers


def test_a_late_answer_to_an_earlier_question_does_not_close_it(breaker: Breaker):
    breaker.trip()
    breaker.succeeded()
    assert State.OPEN is breaker.state
