"""What was processed together is one span, told by counts and codes alone."""

from moderation_parts import TRACE, escalation, first_tier, inline, png, second_tier, upload

from sluicegate_consumer.operations.tracing import Origin
from sluicegate_schemas.message import Message

PLACE = Origin(0, 0, TRACE)


async def test_a_batch_is_one_span_with_all_its_messages_and_decisions():
    images = {"a": png(0.1), "b": png(0.95), "c": png(0.5)}
    async with first_tier(images) as tier:
        await tier.end(*(upload(name) for name in images))
        batches = tier.tracing.batches
    assert {(0, TRACE), (1, TRACE), (2, TRACE)} == {
        (message.offset, message.traceparent) for batch in batches for message in batch.messages
    }
    counts = [batch.facts.get(decision, 0) for batch in batches for decision in ("approved", "rejected", "escalated")]
    assert (3, sum(len(batch.messages) for batch in batches)) == (sum(counts), 3)
    assert {("topic", "classifier", None)} == {(batch.topic, batch.facts["stage"], batch.error) for batch in batches}


async def test_what_leaves_the_first_tier_early_is_a_span_of_its_own():
    async with first_tier({}) as tier:
        await tier.end(upload("gone"))
        await tier.end(Message(b"id", b"no event"))
        missing, unread = tier.tracing.batches
    assert ([PLACE], "fetch", "Unprocessable") == (missing.messages, missing.facts["step"], missing.error)
    assert ([Origin(0, 1, None)], "read", "EventError") == (unread.messages, unread.facts["step"], unread.error)


async def test_a_second_opinion_is_a_span_of_one_message():
    image = png(0.5)
    async with second_tier({"a": image}) as tier:
        await tier.end(escalation("a", image))
        await tier.end(Message(b"id", b"no event"))
        decided, unread = tier.tracing.batches
    assert [PLACE] == decided.messages
    assert {"stage": "vlm", "decision": "approved", "reason": "vlm_approved"} == decided.facts
    assert "EventError" == unread.error


async def test_nothing_that_an_upload_brought_along_is_in_a_span():
    async with first_tier({"some-person": png(0.5)}) as tier:
        await tier.end(upload("some-person"), upload("another-person"), inline("third-person", png(0.5)))
        seen = repr(tier.tracing.batches)
    assert "person" not in seen
    assert "s3://" not in seen
