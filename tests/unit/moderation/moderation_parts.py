"""Both tiers on in-memory edges: what goes in, and what came out, in words short enough for tests."""

import asyncio
import hashlib
import io
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from sluicegate_consumer.batching.batcher import Batcher
from sluicegate_consumer.delivery.values import Delivered, Outcome, Partition, Ticket
from sluicegate_consumer.images.image import DecodedImage, DecodeLimits, Rendition
from sluicegate_consumer.images.memory import MemoryFetcher, ThreadDecoder
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.moderation.device import Device
from sluicegate_consumer.moderation.first_tier import FirstTier
from sluicegate_consumer.moderation.first_tier import Limits as FirstLimits
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.moderation.second_tier import Escalations
from sluicegate_consumer.moderation.second_tier import Limits as SecondLimits
from sluicegate_consumer.operations.metrics import new_metrics
from sluicegate_consumer.operations.tracing import MemoryTracing
from sluicegate_consumer.policy.load import parse_policy
from sluicegate_consumer.second_opinion.memory import MemoryTier
from sluicegate_schemas.cloudevents import read_escalation, read_review, read_verdict, write
from sluicegate_schemas.events import (
    Escalation,
    ImageFacts,
    ImageReference,
    PolicyReference,
    Review,
    Stage,
    Upload,
    Verdict,
)
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

TOPICS = Topics()
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
POLICIES = parse_policy(
    """
version: "7"
models:
  memory: {dark: null, bright: sexual}
policies:
  default:
    categories:
      sexual: {approve_below: 0.2, reject_above: 0.8, description: Nudity., signs: {nudity: bare skin}}
    second_opinion: {approve_below: 0.3, reject_above: 0.7, outage: hold, deadline: 10m}
    disagreement: {margin: 0.5, then: review}
    degenerate: {min_side: 16, min_contrast: 8, then: review}
  impatient:
    extends: default
    second_opinion: {outage: review, deadline: 1s}
  provisional:
    extends: default
    second_opinion: {outage: provisional, deadline: 1s}
  first_tier_only:
    extends: default
    second_opinion: null
""",
    Path("policy.yaml"),
)


def picture(brightness: float, size: int = 32) -> Image.Image:
    """A grey square of that mean brightness, 0 to 1, its halves a little apart."""
    values = np.full((size, size), brightness * 255)
    values[: size // 2] -= 6
    values[size // 2 :] += 6
    return Image.fromarray(values.clip(0, 255).round().astype(np.uint8))


def png(*brightness: float, size: int = 32) -> bytes:
    """A PNG; an animated one where there are several."""
    first, *others = (picture(each, size) for each in brightness)
    file = io.BytesIO()
    first.save(file, "PNG", save_all=bool(others), append_images=others)
    return file.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def upload(upload_id: str, policy: str = "default", sha256: str | None = None) -> Message:
    """By reference to `s3://images/<upload_id>`."""
    reference = ImageReference(uri=f"s3://images/{upload_id}", sha256=sha256)
    event = Upload(upload_id=upload_id, policy=policy, uploaded_at=NOON, image=reference)
    return write(event, source="platform", traceparent=TRACE)


def inline(upload_id: str, image: bytes, policy: str = "default") -> Message:
    event = Upload(upload_id=upload_id, policy=policy, uploaded_at=NOON)
    return write(event, source="platform", inline=image, media_type="image/png", traceparent=TRACE)


def escalation(
    upload_id: str, image: bytes, policy: str = "default", *, carried: bool = False, score: float = 0.5
) -> Message:
    """What the first tier writes about an ambiguous image."""
    verdict = Verdict(
        verdict_id="00000000-0000-5000-8000-000000000000",
        upload_id=upload_id,
        tenant="default",
        surface="unspecified",
        uploaded_at=NOON,
        revision=1,
        decision="escalated",
        category="sexual",
        scores={"dark": 1 - score, "bright": score},
        stage=Stage.CLASSIFIER,
        reasons=("between_bands",),
        policy=PolicyReference(name=policy, version="7"),
        image=ImageFacts(sha256=digest(image), width=32, height=32, media_type="image/png", frames=1),
        worst_frame=0,
        decided_at=datetime.now(UTC) - timedelta(seconds=5),
    )
    reference = None if carried else ImageReference(uri=f"s3://images/{upload_id}")
    event = Escalation(
        upload=Upload(upload_id=upload_id, policy=policy, uploaded_at=NOON, image=reference),
        verdict=verdict,
        category_scores={"sexual": score},
    )
    return write(
        event,
        source="sluicegate",
        inline=image if carried else None,
        media_type="image/png" if carried else None,
        traceparent=TRACE,
    )


@dataclass(frozen=True)
class Ending:
    """An outcome, read again."""

    ticket: Ticket
    dead_letter: bool
    verdict: Verdict | None = None
    escalation: Escalation | None = None
    review: Review | None = None
    messages: dict[str, Message] = field(default_factory=dict)

    @classmethod
    def of(cls, outcome: Outcome) -> "Ending":
        messages = {record.topic: record.message for record in outcome.records}
        assert len(messages) == len(outcome.records)
        found = {
            name: read(messages[topic])
            for name, topic, read in (
                ("verdict", TOPICS.verdicts, read_verdict),
                ("escalation", TOPICS.escalations, lambda message: read_escalation(message).event),
                ("review", TOPICS.reviews, lambda message: read_review(message).event),
            )
            if topic in messages
        }
        return cls(outcome.ticket, outcome.dead_letter, **found, messages=messages)

    @property
    def says(self) -> str:
        """The decision and the first reason; of a dead letter the step and the error's kind."""
        if self.verdict is not None:
            return f"{self.verdict.decision} {self.verdict.reasons[0]}"
        headers = dict(self.messages[TOPICS.dead_letters].headers)
        names = ("stage", "exception.class.name")
        return "dead letter " + " ".join(headers[f"__connect.errors.{name}"].decode() for name in names)


class Tier:
    """A running tier: put messages in, wait for as many endings."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Delivered] = asyncio.Queue()
        self.outbox: asyncio.Queue[Outcome] = asyncio.Queue()
        self._offset = 0

    def put(self, *messages: Message) -> None:
        for message in messages:
            ticket = Ticket(Partition("topic", 0), self._offset, 0)
            self._offset += 1
            self.inbox.put_nowait(Delivered(ticket, message, time.perf_counter_ns()))

    async def end(self, *messages: Message) -> list[Ending]:
        """Put them in; their endings, in the order of the messages."""
        first = self._offset
        self.put(*messages)
        endings = [await self.next() for _ in messages]
        assert list(range(first, self._offset)) == sorted(ending.ticket.offset for ending in endings)
        return sorted(endings, key=lambda ending: ending.ticket.offset)

    async def next(self) -> Ending:
        async with asyncio.timeout(5):
            return Ending.of(await self.outbox.get())


class CountingDecoder(ThreadDecoder):
    """Counts images that are decoded and not given back yet."""

    open = 0

    async def decode(self, data: bytes) -> DecodedImage:
        image = await super().decode(data)
        self.open += 1

        def release() -> None:
            self.open -= 1

        image.release = release
        return image


class FirstTierRun(Tier):
    """The first tier, and the edges it stands on."""

    def __init__(self, images: dict[str, bytes | Exception], classifier: MemoryClassifier, timeout_s: float) -> None:
        super().__init__()
        self.fetcher = MemoryFetcher({f"s3://images/{name}": image for name, image in images.items()})
        self.decoder = CountingDecoder(classifier.card.geometry, DecodeLimits(max_pixels=10_000))
        self.classifier = classifier
        self.device = Device(classifier, timeout_s)
        self.metrics = new_metrics()
        self.tracing = MemoryTracing()
        self.stages = FirstTier(
            fetcher=self.fetcher,
            decoder=self.decoder,
            batcher=Batcher(8, 0.005),
            device=self.device,
            policies=POLICIES,
            outcomes=Outcomes(Stage.CLASSIFIER, "sluicegate", TOPICS),
            limits=FirstLimits(uploads=64, fetches=4, decodes=2, inline_bytes=5_000),
            metrics=self.metrics,
            tracing=self.tracing,
        )


class SecondTierRun(Tier):
    """The second tier, and the edges it stands on."""

    def __init__(self, images: dict[str, bytes | Exception], tier: MemoryTier) -> None:
        super().__init__()
        self.fetcher = MemoryFetcher({f"s3://images/{name}": image for name, image in images.items()})
        self.tier = tier
        self.metrics = new_metrics()
        self.tracing = MemoryTracing()
        self.stages = Escalations(
            fetcher=self.fetcher,
            decoder=ThreadDecoder(MemoryClassifier().card.geometry, DecodeLimits(max_pixels=10_000)),
            rendition=Rendition(),
            tier=tier,
            policies=POLICIES,
            outcomes=Outcomes(Stage.VLM, "sluicegate", TOPICS),
            limits=SecondLimits(escalations=64, questions=2, inline_bytes=5_000),
            metrics=self.metrics,
            tracing=self.tracing,
        )


@asynccontextmanager
async def first_tier(
    images: dict[str, bytes | Exception] | None = None,
    *,
    classifier: MemoryClassifier | None = None,
    timeout_s: float = 5,
) -> AsyncIterator[FirstTierRun]:
    run = FirstTierRun(images or {}, classifier or MemoryClassifier(), timeout_s)
    async with _running(run):
        yield run
    assert 0 == run.decoder.open


@asynccontextmanager
async def second_tier(
    images: dict[str, bytes | Exception] | None = None, *, tier: MemoryTier | None = None
) -> AsyncIterator[SecondTierRun]:
    run = SecondTierRun(images or {}, tier or MemoryTier())
    async with _running(run):
        yield run


@asynccontextmanager
async def _running(run: FirstTierRun | SecondTierRun) -> AsyncIterator[None]:
    run.task = asyncio.create_task(run.stages.run(run.inbox, run.outbox))
    try:
        yield
    finally:
        run.task.cancel()
        await asyncio.wait({run.task})


def said(endings: Sequence[Ending]) -> list[str]:
    return [ending.says for ending in endings]


def json_of(message: Message) -> dict:
    return json.loads(message.value)
