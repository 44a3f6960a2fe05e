"""Escalations end by an opinion, or by the policy's rule for having none: never by accident."""

import asyncio
from dataclasses import replace

import pytest
from moderation_parts import TOPICS, TRACE, digest, escalation, png, said, second_tier

from sluicegate_consumer.errors import Transient
from sluicegate_consumer.second_opinion.memory import APPROVAL, MemoryTier
from sluicegate_consumer.second_opinion.opinion import NoOpinion, Opinion, SecondTierAway
from sluicegate_schemas.message import Message

IMAGE = png(0.5)
REJECTION = replace(APPROVAL, answer="reject", category="sexual", sign="nudity", score=0.95)


@pytest.mark.parametrize(
    ("opinion", "ending"),
    [
        (APPROVAL, "approved vlm_approved"),
        (REJECTION, "rejected vlm_rejected"),
        (replace(APPROVAL, answer="unsure", score=0.5), "review vlm_unsure"),
        (replace(APPROVAL, score=0.4), "review vlm_unsure"),
        (replace(REJECTION, score=0.6), "review vlm_unsure"),
        (replace(APPROVAL, score=None), "approved vlm_approved"),
        (NoOpinion("three attempts"), "review vlm_answer_invalid"),
    ],
)
async def test_the_opinion_decides_by_the_policys_bands(opinion, ending):
    async with second_tier({"a": IMAGE}, tier=MemoryTier([opinion])) as tier:
        assert [ending] == said(await tier.end(escalation("a", IMAGE)))


async def test_a_verdict_says_who_was_asked_and_supersedes_the_first():
    async with second_tier({"a": IMAGE}, tier=MemoryTier([REJECTION])) as tier:
        (ending,) = await tier.end(escalation("a", IMAGE))
    verdict = ending.verdict
    assert (2, "vlm", "sexual", "memory", "reject", 0.95) == (
        verdict.revision,
        verdict.stage,
        verdict.category,
        verdict.model.name,
        verdict.second_opinion.decision,
        verdict.second_opinion.score,
    )
    assert digest(IMAGE) == verdict.image.sha256
    assert {"dark": 0.5, "bright": 0.5} == verdict.scores
    assert TRACE.encode() == ending.messages[TOPICS.verdicts].header("traceparent")


async def test_tiers_that_disagree_leave_it_to_a_human_who_sees_both():
    async with second_tier({"a": IMAGE}) as tier:
        (ending,) = await tier.end(escalation("a", IMAGE, score=0.79))
    assert ("review", ("vlm_approved", "tiers_disagree")) == (ending.verdict.decision, ending.verdict.reasons)
    assert "escalated" == ending.review.provisional.decision


@pytest.mark.parametrize(
    ("stored", "ending"),
    [
        (png(0.4), "review image_changed"),
        (None, "unprocessable image_missing"),
        (b"", "review image_empty"),
        (Transient("away"), "dead letter fetch Transient"),
    ],
)
async def test_an_image_that_is_not_there_as_it_was_is_never_asked_about(stored, ending):
    images = {} if stored is None else {"a": stored}
    async with second_tier(images) as tier:
        assert [ending] == said(await tier.end(escalation("a", IMAGE)))
        assert [] == tier.tier.asked


async def test_a_carried_image_is_asked_about_and_goes_on_to_the_human():
    async with second_tier(tier=MemoryTier([NoOpinion("none")])) as tier:
        (ending,) = await tier.end(escalation("a", IMAGE, carried=True))
    assert "review vlm_answer_invalid" == ending.says
    assert IMAGE == ending.messages[TOPICS.reviews].value
    assert IMAGE not in ending.messages[TOPICS.verdicts].value


async def test_what_the_model_is_shown_is_a_jpeg_within_the_bounds():
    async with second_tier({"a": IMAGE}) as tier:
        await tier.end(escalation("a", IMAGE))
        (question,) = tier.tier.asked
    assert ("default", 64, 64) == (question.policy, question.width, question.height)
    assert question.jpeg.startswith(b"\xff\xd8")


async def test_a_record_that_cannot_be_read_is_a_dead_letter():
    async with second_tier({"a": IMAGE}) as tier:
        endings = await tier.end(Message(b"a", b"{"), escalation("a", IMAGE), escalation("a", IMAGE, policy="nobody"))
    assert ["dead letter read EventError", "approved vlm_approved", "dead letter read UnknownPolicy"] == said(endings)


async def test_while_nobody_can_be_asked_escalations_wait_and_are_answered_later():
    tier_away = MemoryTier()
    tier_away.leave()
    async with second_tier({"a": IMAGE, "b": IMAGE}, tier=tier_away) as tier:
        tier.put(escalation("a", IMAGE), escalation("b", IMAGE))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tier.outbox.get(), 0.05)
        tier.tier.come_back()
        assert ["approved vlm_approved"] * 2 == said([await tier.next(), await tier.next()])


async def test_a_server_that_goes_in_the_middle_of_a_question_leaves_it_first_in_line():
    class Going(MemoryTier):
        went = False

        async def ask(self, question) -> Opinion:
            if not self.went:
                self.went = True
                self.leave()
                raise SecondTierAway("gone")
            return await super().ask(question)

    async with second_tier({"a": IMAGE}, tier=Going()) as tier:
        tier.put(escalation("a", IMAGE))
        while not tier.tier.went:
            await asyncio.sleep(0)
        assert tier.outbox.empty()
        tier.tier.come_back()
        assert ["approved vlm_approved"] == said([await tier.next()])


@pytest.mark.parametrize(
    ("policy", "ending"), [("impatient", "review vlm_unavailable"), ("provisional", "escalated vlm_unavailable")]
)
async def test_what_has_waited_too_long_falls_under_the_policys_outage_rule(policy, ending, monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.moderation.second_tier.SWEEP_S", 0.01)
    tier_away = MemoryTier()
    tier_away.leave()
    async with second_tier({"a": IMAGE}, tier=tier_away) as tier:
        tier.put(escalation("held", IMAGE), escalation("a", IMAGE, policy=policy))
        (found,) = [await tier.next()]
        assert (ending, "a", 2) == (found.says, found.verdict.upload_id, found.verdict.revision)
        assert found.escalation is None
        assert tier.outbox.empty()


async def test_what_a_policy_has_ceased_to_ask_about_goes_to_a_human_unfetched():
    # The answer that waits would be approval; the image is not even there.
    async with second_tier({"b": IMAGE}) as tier:
        messages = escalation("a", IMAGE, policy="first_tier_only"), escalation("b", IMAGE)
        assert ["review vlm_unavailable", "approved vlm_approved"] == said(await tier.end(*messages))
        assert ["default"] == [question.policy for question in tier.tier.asked]


@pytest.mark.parametrize("answer", ["approve", "reject", "unsure", "invalid", "away"])
async def test_questions_are_counted_by_what_came_of_them(answer, monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.moderation.second_tier.SWEEP_S", 0.01)
    script = {
        "approve": APPROVAL,
        "reject": REJECTION,
        "unsure": replace(APPROVAL, answer="unsure"),
        "invalid": NoOpinion("none"),
        "away": SecondTierAway("gone"),
    }
    async with second_tier({"a": IMAGE}, tier=MemoryTier([script[answer]])) as tier:
        await tier.end(escalation("a", IMAGE))
        sample = tier.metrics.registry.get_sample_value
        assert 1 == sample("sluicegate_opinion_seconds_count", {"result": answer})
        while sample("sluicegate_second_tier_available") == 0:
            await asyncio.sleep(0.01)
