"""How often an image is asked about, and what each failure of a server means for it."""

import pytest

from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.breaker import Breaker
from sluicegate_consumer.second_opinion.client import OllamaServer
from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence, failure_of_status
from sluicegate_consumer.second_opinion.opinion import Question
from sluicegate_consumer.second_opinion.servers import Replica
from sluicegate_consumer.second_opinion.tries import LONGEST_PAUSE_S, REMEMBERED, Tries, Unsettled

SERVER = OllamaServer("http://host", OllamaSettings())
"""Never asked."""


def replica() -> Replica:
    return Replica(SERVER, Breaker(100, 5.0, lambda: 0.0))


def failed(consequence: Consequence) -> AskFailed:
    return AskFailed(consequence, "reason")


@pytest.mark.parametrize(
    ("status", "consequence"),
    [
        (302, Consequence.UNUSABLE),
        (400, Consequence.NO_OPINION),
        (401, Consequence.UNUSABLE),
        (403, Consequence.UNUSABLE),
        (404, Consequence.UNUSABLE),
        (418, Consequence.NO_OPINION),
        (429, Consequence.AWAY),
        (500, Consequence.SUSPECT),
        (502, Consequence.SUSPECT),
        (504, Consequence.SUSPECT),
        (503, Consequence.AWAY),
    ],
)
def test_what_a_status_means(status, consequence):
    assert consequence is failure_of_status(status, "").consequence


def test_a_servers_text_is_kept_short():
    assert len(str(failure_of_status(500, "x" * 10_000))) < 300


@pytest.mark.parametrize(
    ("consequences", "over"),
    [
        ([Consequence.RETRY] * 2, False),
        ([Consequence.RETRY] * 3, True),
        ([Consequence.SUSPECT] * 3, True),
        ([Consequence.AWAY] * 9, False),
        ([Consequence.UNUSABLE] * 9, False),
        ([Consequence.NO_OPINION], True),
    ],
)
def test_only_what_the_image_may_have_caused_uses_up_its_attempts(consequences, over):
    tries, server = Tries(), replica()
    for consequence in consequences:
        tries.add(server, failed(consequence))
        server.breaker.succeeded()  # it answers somebody else
    assert over is tries.over(max_attempts=3)


def test_at_a_server_that_answers_nobody_no_attempt_is_the_last_until_it_has_answered_and_failed_again():
    tries, server = Tries(), replica()
    for _ in range(9):
        tries.add(server, failed(Consequence.SUSPECT))
        assert not tries.over(max_attempts=3)
    server.breaker.close()
    assert not tries.over(max_attempts=3)
    # It is hardly back: that is the server's.
    tries.add(server, failed(Consequence.AWAY))
    assert not tries.over(max_attempts=3)
    server.breaker.close()
    tries.add(server, failed(Consequence.SUSPECT))
    assert tries.over(max_attempts=3)


def test_a_server_that_is_in_order_says_nothing_of_one_that_is_gone():
    tries, gone, other = Tries(), replica(), replica()
    for _ in range(9):
        tries.add(gone, failed(Consequence.SUSPECT))
        other.breaker.succeeded()
    assert not tries.over(max_attempts=3)


def test_failing_for_the_whole_deadline_uses_up_an_attempt_where_others_are_answered():
    tries, server = Tries(began=100.0), replica()
    for now, over in ((109.0, False), (110.0, False), (119.0, False), (120.0, True)):
        tries.add(server, failed(Consequence.AWAY))
        server.breaker.succeeded()
        tries.add(server, failed(Consequence.AWAY))
        assert over is tries.over_at(now, deadline_s=10, max_attempts=2)
    assert 2 == tries.attempts


def test_failing_for_the_whole_deadline_is_an_outage_where_nobody_is_answered():
    tries, server = Tries(), replica()
    for now in range(0, 1000, 10):
        tries.add(server, failed(Consequence.AWAY))
        assert not tries.over_at(now, deadline_s=10, max_attempts=1)
    assert 0 == tries.attempts


def test_waiting_without_having_been_asked_uses_up_nothing():
    assert not Tries().over_at(1000.0, deadline_s=10, max_attempts=1)


def test_pauses_double_up_to_the_longest():
    tries = Tries()
    pauses = [tries.pause(0.5)]
    for _ in range(6):
        tries.add(replica(), failed(Consequence.AWAY))
        pauses.append(tries.pause(0.5))
    assert [0.0, 0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S] == pauses


def question(number: int) -> Question:
    return Question("default", str(number).encode(), 1, 1)


def failed_once() -> Tries:
    tries = Tries(began=1.0)
    tries.add(replica(), failed(Consequence.SUSPECT))
    return tries


def test_what_came_of_an_image_is_remembered_while_it_waits_and_then_forgotten():
    unsettled = Unsettled()
    unsettled.keep(question(1), failed_once())
    resumed = unsettled.resume(question(1), now=2.0)
    assert (1, 1.0, 0, 0.0) == (resumed.attempts, resumed.began, resumed.failures, resumed.pause(0.5))
    assert Tries(began=2.0) == unsettled.resume(question(1), now=2.0)


def test_not_more_images_are_remembered_than_allowed():
    unsettled = Unsettled()
    for number in range(REMEMBERED + 1):
        unsettled.keep(question(number), failed_once())
    assert 0 == unsettled.resume(question(0), 2.0).attempts
    assert 1 == unsettled.resume(question(REMEMBERED), 2.0).attempts
