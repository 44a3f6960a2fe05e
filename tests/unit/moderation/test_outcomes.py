"""Which records a decision becomes."""

import time
from datetime import timedelta

import pytest
from moderation_parts import NOON, POLICIES, TOPICS, TRACE, json_of

from sluicegate_consumer.delivery.values import Delivered, Partition, Ticket
from sluicegate_consumer.errors import Poison
from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_schemas.events import Decision, ImageFacts, Stage, Upload
from sluicegate_schemas.message import Message

TICKET = Ticket(Partition("uploads", 0), 7, 1)


def case(inline: bytes = b"pixels", sha256: str = "a" * 64) -> Case:
    return Case(
        Delivered(TICKET, Message(b"u", b"v"), time.perf_counter_ns()),
        Upload(upload_id="u", uploaded_at=NOON),
        inline,
        TRACE,
        POLICIES.policy("default"),
        image=ImageFacts(sha256=sha256, media_type="image/png"),
    )


def decided(stage: Stage, decision: Decision, **about: object) -> dict[str, Message]:
    outcome = Outcomes(stage, "sluicegate", TOPICS).decided(case(**about), Ruling(decision, ("clear",)), NOON)
    assert (TICKET, False) == (outcome.ticket, outcome.dead_letter)
    return {record.topic: record.message for record in outcome.records}


@pytest.mark.parametrize(
    ("stage", "decision", "beside"),
    [
        (Stage.CLASSIFIER, Decision.APPROVED, set()),
        (Stage.CLASSIFIER, Decision.REJECTED, set()),
        (Stage.CLASSIFIER, Decision.UNPROCESSABLE, set()),
        (Stage.CLASSIFIER, Decision.REVIEW, {TOPICS.reviews}),
        (Stage.CLASSIFIER, Decision.ESCALATED, {TOPICS.escalations}),
        (Stage.VLM, Decision.REVIEW, {TOPICS.reviews}),
        (Stage.VLM, Decision.ESCALATED, set()),
    ],
)
def test_every_decision_is_a_verdict_and_some_ask_somebody_else(stage, decision, beside):
    records = decided(stage, decision)
    assert {TOPICS.verdicts} | beside == set(records)
    assert {b"u"} == {message.key for message in records.values()}
    assert {TRACE.encode()} == {message.header("traceparent") for message in records.values()}


@pytest.mark.parametrize(
    ("decision", "topic"), [(Decision.ESCALATED, TOPICS.escalations), (Decision.REVIEW, TOPICS.reviews)]
)
def test_a_carried_image_goes_on_to_whoever_is_asked_and_is_in_no_verdict(decision, topic):
    records = decided(Stage.CLASSIFIER, decision, inline=b"the image")
    assert b"the image" == records[topic].value
    assert b"the image" not in records[TOPICS.verdicts].value


def test_a_verdict_id_is_of_the_content_not_of_the_moment():
    outcomes = Outcomes(Stage.CLASSIFIER, "sluicegate", TOPICS)
    ids = [
        json_of(outcomes.decided(case(sha256=digit * 64), Ruling(Decision.APPROVED, ()), when).records[0].message)[
            "verdict_id"
        ]
        for digit, when in (("a", NOON), ("a", NOON + timedelta(1)), ("b", NOON))
    ]
    assert ids[0] == ids[1] != ids[2]


def test_what_is_buried_keeps_its_ticket_and_says_it_is_dead():
    outcome = Outcomes(Stage.CLASSIFIER, "sluicegate", TOPICS).buried(case().delivered, "read", Poison("no"))
    assert (TICKET, True, TOPICS.dead_letters) == (outcome.ticket, outcome.dead_letter, outcome.records[0].topic)
