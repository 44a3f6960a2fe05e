"""How often an image is asked about, and what each failure of a server means for it."""

import pytest

from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence, failure_of_status
from sluicegate_consumer.second_opinion.opinion import Question
from sluicegate_consumer.second_opinion.tries import LONGEST_PAUSE_S, REMEMBERED, Tries, Unsettled


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
    tries = Tries()
    for consequence in consequences:
        tries.add(None, failed(consequence))
    assert over is tries.over(max_attempts=3)


def test_pauses_double_up_to_the_longest():
    tries = Tries()
    pauses = [tries.pause(0.5)]
    for _ in range(6):
        tries.add(None, failed(Consequence.AWAY))
        pauses.append(tries.pause(0.5))
    assert [0.0, 0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S] == pauses


def question(number: int) -> Question:
    return Question("default", str(number).encode(), 1, 1)


def test_attempts_are_remembered_while_an_image_waits_and_then_forgotten():
    unsettled = Unsettled()
    unsettled.keep(question(1), Tries(attempts=2))
    assert 2 == unsettled.resume(question(1)).attempts
    assert 0 == unsettled.resume(question(1)).attempts


def test_not_more_images_are_remembered_than_allowed():
    unsettled = Unsettled()
    for number in range(REMEMBERED + 1):
        unsettled.keep(question(number), Tries(attempts=1))
    assert 0 == unsettled.resume(question(0)).attempts
    assert 1 == unsettled.resume(question(REMEMBERED)).attempts
