"""Every upload in has one outcome out, each image costs itself alone, and nothing is approved by accident."""

import asyncio
import math
import random
import re

import numpy as np
import pytest
from moderation_parts import (
    TOPICS,
    TRACE,
    CountingDecoder,
    digest,
    first_tier,
    inline,
    json_of,
    picture,
    png,
    said,
    upload,
)
from structlog.testing import capture_logs

from sluicegate_consumer.errors import Fatal, Transient, Unprocessable
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_schemas.cloudevents import read_escalation
from sluicegate_schemas.events import Decision, Reason
from sluicegate_schemas.message import Message


async def test_the_bands_decide():
    images = {"low": png(0.1), "high": png(0.9), "between": png(0.5)}
    async with first_tier(images) as tier:
        endings = await tier.end(*(upload(name) for name in images))
    assert ["approved clear", "rejected above_reject", "escalated between_bands"] == said(endings)
    assert [False, False, True] == [ending.escalation is not None for ending in endings]


async def test_a_verdict_says_what_was_judged_and_by_whom():
    image = png(0.9)
    async with first_tier({"a": image}) as tier:
        (ending,) = await tier.end(upload("a"))
    verdict = ending.verdict
    assert ("a", 1, "sexual", "7", "memory") == (
        verdict.upload_id,
        verdict.revision,
        verdict.category,
        verdict.policy.version,
        verdict.model.name,
    )
    facts = verdict.image
    assert (digest(image), len(image), 32, 32, "image/png", 1) == (
        facts.sha256,
        facts.size,
        facts.width,
        facts.height,
        facts.media_type,
        facts.frames,
    )
    assert pytest.approx({"dark": 0.1, "bright": 0.9}, abs=0.01) == verdict.scores
    assert None not in verdict.timings.model_dump().values()
    assert TRACE.encode() == ending.messages[TOPICS.verdicts].header("traceparent")
    assert b"s3://" not in ending.messages[TOPICS.verdicts].value


async def test_an_ambiguous_inline_image_travels_on_to_the_second_tier():
    image = png(0.5)
    async with first_tier() as tier:
        (ending,) = await tier.end(inline("a", image))
    received = read_escalation(ending.messages[TOPICS.escalations])
    assert (image, digest(image)) == (received.inline, received.event.verdict.image.sha256)
    assert pytest.approx({"sexual": 0.5}, abs=0.01) == received.event.category_scores
    assert image not in ending.messages[TOPICS.verdicts].value


async def test_the_worst_frame_of_an_animation_decides_and_is_named():
    async with first_tier({"a": png(0.05, 0.1, 0.9, 0.1)}) as tier:
        (ending,) = await tier.end(upload("a"))
    assert ("rejected above_reject", 2, 4) == (ending.says, ending.verdict.worst_frame, ending.verdict.image.frames)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", Reason.IMAGE_EMPTY),
        (b"<html>", Reason.IMAGE_UNSUPPORTED),
        (png(0.1)[:60], Reason.IMAGE_UNDECODABLE),
        (png(0.1, size=101), Reason.IMAGE_TOO_MANY_PIXELS),
        (Unprocessable(Reason.IMAGE_URI_REFUSED, "not allowed"), Reason.IMAGE_URI_REFUSED),
        (None, Reason.IMAGE_MISSING),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
async def test_an_image_that_cannot_be_judged_is_unprocessable_and_says_why(image, reason):
    images = {"good": png(0.1)} | ({} if image is None else {"bad": image})
    async with first_tier(images) as tier:
        endings = await tier.end(upload("good"), upload("bad"), upload("good"))
    assert ["approved clear", f"unprocessable {reason}", "approved clear"] == said(endings)
    assert endings[1].verdict.model is None


async def test_other_bytes_than_the_event_says_are_unprocessable():
    async with first_tier({"a": png(0.1)}) as tier:
        (ending,) = await tier.end(upload("a", sha256="0" * 64))
    assert "unprocessable image_digest_mismatch" == ending.says


async def test_an_inline_image_over_the_limit_is_unprocessable():
    async with first_tier() as tier:
        (ending,) = await tier.end(inline("a", png(0.1) + bytes(5_000)))
    assert "unprocessable image_too_large" == ending.says


async def test_an_image_without_content_is_for_a_human():
    async with first_tier({"tiny": png(0.1, size=8)}) as tier:
        (ending,) = await tier.end(upload("tiny"))
    assert "review degenerate_image" == ending.says
    assert ending.review.verdict == ending.verdict


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (Message(b"a", b"{"), "EventError"),
        (Message(b"a", None), "EventError"),
        (Message(b"\xff", b"{}"), "EventError"),
        (upload("a", policy="nobody"), "UnknownPolicy"),
    ],
)
async def test_a_record_that_cannot_be_read_is_a_dead_letter_byte_for_byte(message, kind):
    async with first_tier({"good": png(0.1)}) as tier:
        endings = await tier.end(upload("good"), message, upload("good"))
    assert ["approved clear", f"dead letter read {kind}", "approved clear"] == said(endings)
    (letter,) = endings[1].messages.values()
    assert (message.key, message.value, message.headers) == (
        letter.key,
        letter.value,
        letter.headers[: len(message.headers)],
    )


async def test_a_store_that_stays_away_leaves_a_dead_letter_to_be_replayed():
    async with first_tier({"a": Transient("s3 is away"), "good": png(0.1)}) as tier:
        with capture_logs() as logs:
            endings = await tier.end(upload("a"), upload("good"))
    assert ["dead letter fetch Transient", "approved clear"] == said(endings)
    (warning,) = [each for each in logs if each["event"] == "dead_letter"]
    assert re.fullmatch(r".+\[0\] offset \d+", warning["ticket"])


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.5, 1.5])
async def test_a_score_that_is_none_never_approves(score):
    async with first_tier({"a": png(0.1)}, classifier=MemoryClassifier(lambda _: (1.0, score))) as tier:
        (ending,) = await tier.end(upload("a"))
    assert "review scores_not_finite" == ending.says
    assert set(json_of(ending.messages[TOPICS.verdicts])["scores"]) <= {"dark"}


async def test_a_device_error_costs_the_image_that_causes_it_alone():
    def score(frame: np.ndarray) -> tuple[float, float]:
        if frame.mean() > 200:
            raise RuntimeError("device error")
        return 0.9, 0.1

    images = {"good": png(0.1), "bad": png(0.95)}
    async with first_tier(images, classifier=MemoryClassifier(score)) as tier:
        endings = await tier.end(*(upload(name) for name in ("good", "good", "bad", "good")))
    assert ["approved clear", "approved clear", "dead letter classify RuntimeError", "approved clear"] == said(endings)


async def test_a_device_that_hangs_ends_the_tier_and_answers_nothing():
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(_: np.ndarray) -> tuple[float, float]:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
        return 1.0, 0.0

    async with first_tier({"a": png(0.1)}, classifier=MemoryClassifier(hang), timeout_s=0.05) as tier:
        tier.put(upload("a"))
        await asyncio.wait({tier.task}, timeout=5)
        failed = tier.task.exception()
        release.set()
        tier.decoder.open = 0  # the process ends with it
    assert failed.split(Fatal)[1] is None
    assert tier.outbox.empty()


async def test_an_image_is_judged_in_a_batch_with_others():
    async with first_tier({"a": png(0.1)}) as tier:
        await tier.end(*(upload("a") for _ in range(40)))
    assert 40 == sum(tier.classifier.calls)
    assert max(tier.classifier.calls) > 1


async def test_a_mixed_load_has_one_outcome_for_each_upload():
    images: dict[str, bytes | Exception] = {
        "low": png(0.1),
        "high": png(0.9),
        "between": png(0.5),
        "broken": png(0.1)[:60],
        "away": Transient("away"),
        "moving": png(*(0.1 for _ in range(12))),
    }
    expected = {
        "low": "approved clear",
        "high": "rejected above_reject",
        "between": "escalated between_bands",
        "broken": "unprocessable image_undecodable",
        "away": "dead letter fetch Transient",
        "moving": "approved clear",
        "gone": "unprocessable image_missing",
    }
    names = random.Random(5).choices(list(expected), k=300)
    async with first_tier(images) as tier:
        endings = await tier.end(*map(upload, names))
    assert [expected[name] for name in names] == said(endings)


async def test_cancelled_in_the_middle_it_gives_every_frame_back():
    slow = MemoryClassifier(lambda _: (0.9, 0.1))
    async with first_tier({"a": png(0.1)}, classifier=slow) as tier:
        tier.put(*(upload("a") for _ in range(50)))
        await tier.next()
        tier.task.cancel()
        await asyncio.wait({tier.task})
        # What a cancelled tier still held goes with its decoder, so only what it had answered must be given back.
        assert isinstance(tier.decoder, CountingDecoder)
        assert tier.decoder.open <= 50 - tier.outbox.qsize() - 1
        tier.decoder.open = 0


async def test_the_same_upload_has_the_same_verdict_id_and_other_bytes_another():
    async with first_tier({"a": png(0.1)}) as tier:
        first, again = await tier.end(upload("a"), upload("a"))
        tier.fetcher.images["s3://images/a"] = png(0.11)
        (changed,) = await tier.end(upload("a"))
    assert first.verdict.verdict_id == again.verdict.verdict_id
    assert first.verdict.verdict_id != changed.verdict.verdict_id


async def test_outcomes_and_steps_are_counted():
    async with first_tier({"a": png(0.1), "b": b"<html>"}) as tier:
        await tier.end(upload("a"), upload("b"), Message(b"c", b"{"))
        sample = tier.metrics.registry.get_sample_value
    for decision, category in ((Decision.APPROVED, ""), (Decision.UNPROCESSABLE, "")):
        labels = {"stage": "classifier", "decision": decision, "category": category}
        assert 1 == sample("sluicegate_verdicts_total", labels)
    assert 1 == sample("sluicegate_dead_letters_total", {"stage": "read", "reason": "EventError"})
    for step, count in (("queue", 2), ("fetch", 2), ("decode", 1), ("inference", 1), ("total", 2)):
        assert count == sample("sluicegate_step_seconds_count", {"step": step}), step


def test_the_pictures_are_what_they_are_taken_for():
    assert pytest.approx(0.5, abs=0.01) == np.asarray(picture(0.5)).mean() / 255
