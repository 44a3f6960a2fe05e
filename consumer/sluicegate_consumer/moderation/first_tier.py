"""The first tier: read, fetch, decode, batch, classify, decide. Begin at `FirstTier.run`."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from sluicegate_consumer.batching.batcher import Batch, Batcher
from sluicegate_consumer.delivery.values import Delivered, Outcome
from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.image import DecodedImage, Decoder, FetchedImage, Fetcher
from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.moderation.conclusions import Conclusions
from sluicegate_consumer.moderation.device import Device, Scores
from sluicegate_consumer.moderation.fetching import Fetching
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.moderation.spans import processed
from sluicegate_consumer.moderation.station import FAILURES, Failure, station
from sluicegate_consumer.operations.metrics import Metrics
from sluicegate_consumer.operations.tracing import NoTracing, Processed, Tracing
from sluicegate_consumer.policy.decide import Evidence, decide
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_consumer.policy.scores import Scores as LabelScores
from sluicegate_schemas.cloudevents import read_upload
from sluicegate_schemas.events import Decision, ImageFacts, ModelReference


@dataclass(frozen=True, slots=True)
class Fetched:
    """A case and its encoded bytes."""

    case: Case
    image: FetchedImage


@dataclass(frozen=True, slots=True)
class Decoded:
    """A case and its pixels, which must be closed whatever becomes of it."""

    case: Case
    pixels: DecodedImage
    since_ns: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much happens at the same time."""

    uploads: int
    fetches: int
    decodes: int
    inline_bytes: int
    """Size of an image that an upload may carry along."""


class FirstTier:
    """Turns upload records into outcomes."""

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        decoder: Decoder,
        batcher: Batcher[Decoded],
        device: Device,
        policies: PolicyDocument,
        outcomes: Outcomes,
        limits: Limits,
        metrics: Metrics,
        tracing: Tracing | None = None,
    ) -> None:
        self._fetching = Fetching(fetcher, limits.inline_bytes, metrics)
        self._decoder = decoder
        self._batcher = batcher
        self._device = device
        self._policies = policies
        self._outcomes = outcomes
        self._limits = limits
        self._metrics = metrics
        self._tracing = tracing or NoTracing()
        self._mapping = policies.mapping_for(device.card.name, device.card.labels)
        self._model = ModelReference(name=device.card.name, digest=device.card.digest)

    @property
    def capacity(self) -> int:
        """Uploads that may be inside at the same time."""
        return self._limits.uploads

    async def run(self, inbox: asyncio.Queue[Delivered], outbox: asyncio.Queue[Outcome]) -> None:
        """The pipeline, stage by stage; see `Stages`."""
        self._inbox, self._conclusions = inbox, Conclusions(self._outcomes, self._metrics, outbox)
        # Encoded images wait here: few, as each may be large, but one more for each decoder than it is to take next,
        # or it would wait for the event loop to come round.
        fetched: asyncio.Queue[Fetched] = asyncio.Queue(2 * self._limits.decodes)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._limits.fetches):
                group.create_task(station(self._next_case, self._fetch, fetched.put, self._give_up_fetch))
            for _ in range(self._limits.decodes):
                group.create_task(station(fetched.get, self._decode, self._to_batch, self._give_up_decode))
            # One for each that the device computes, and one that waits behind them, so that the device never does.
            for _ in range(self._device.card.lanes + 1):
                group.create_task(self._classify_batches())

    async def _next_case(self) -> Case:
        """The next upload that can be read; one that cannot is buried."""
        while True:
            delivered = await self._inbox.get()
            try:
                return self._read(delivered)
            except FAILURES as failure:
                self._bury_unread(delivered, failure)

    def _read(self, delivered: Delivered) -> Case:
        received = read_upload(delivered.message)
        upload = received.event
        case = Case(
            delivered,
            upload,
            received.inline,
            received.traceparent,
            self._policies.policy(upload.policy),
        )
        self._metrics.took("queue", case.note_queue(upload.uploaded_at))
        return case

    async def _fetch(self, case: Case) -> Fetched:
        image = await self._fetching.image_of(case)
        case.image = ImageFacts(sha256=image.sha256, size=len(image.data))
        return Fetched(case, image)

    async def _decode(self, fetched: Fetched) -> Decoded:
        case, began = fetched.case, time.perf_counter_ns()
        pixels = await self._decoder.decode(fetched.image.data)
        self._metrics.took("decode", case.note_time("decode", began))
        case.image = ImageFacts(
            sha256=fetched.image.sha256,
            size=len(fetched.image.data),
            width=pixels.width,
            height=pixels.height,
            media_type=pixels.media_type,
            frames=pixels.frame_count,
        )
        return Decoded(case, pixels, time.perf_counter_ns())

    async def _to_batch(self, decoded: Decoded) -> None:
        await self._batcher.put(decoded, weight=len(decoded.pixels.frames))

    async def _classify_batches(self) -> NoReturn:
        while True:
            batch = await self._batcher.take()
            self._metrics.batch_closed(batch.weight, batch.closed_by.value)
            await self._classify(batch)

    async def _classify(self, batch: Batch[Decoded]) -> None:
        computed = await self._device.classify([decoded.pixels.frames for decoded in batch.items])
        began, ended = computed.began_ns, computed.ended_ns
        self._batcher.done()
        await asyncio.sleep(0)  # what waits goes to the device first: it computes while these are settled
        decisions: Counter[str] = Counter()
        for decoded, answer in zip(batch.items, computed.answers, strict=True):
            case = decoded.case
            self._metrics.took("batch_wait", case.note_span("batch_wait", decoded.since_ns, began))
            self._metrics.took("inference", case.note_span("inference", began, ended))
            if isinstance(answer, Exception):
                self._conclusions.bury(case.delivered, "classify", answer)
                decisions["dead_letter"] += 1
            else:
                ruling = self._decide(case, decoded.pixels, answer)
                self._conclusions.settle(case, ruling, model=self._model)
                decisions[ruling.decision] += 1
            decoded.pixels.close()
        if self._tracing.on:
            self._tracing.processed(_span(batch, decisions))

    def _decide(self, case: Case, pixels: DecodedImage, answer: Scores) -> Ruling:
        card = self._device.card
        ruling = decide(
            case.policy,
            self._mapping,
            LabelScores(card.labels, answer.tolist(), exclusive=card.exclusive),
            Evidence(min_side=min(pixels.width, pixels.height), contrast=pixels.contrast),
        )
        case.scores, case.category_scores = dict(ruling.label_scores), dict(ruling.category_scores)
        if ruling.worst_frame is not None:
            case.worst_frame = pixels.frame_indices[ruling.worst_frame]
        return ruling

    def _bury_unread(self, delivered: Delivered, failure: Failure) -> None:
        self._conclusions.bury(delivered, "read", failure)
        self._tracing.processed(processed([(delivered, None)], {"stage": "classifier", "step": "read"}, failure))

    def _give_up_fetch(self, case: Case, failure: Failure) -> None:
        self._give_up(case, "fetch", failure)

    def _give_up_decode(self, fetched: Fetched, failure: Failure) -> None:
        self._give_up(fetched.case, "decode", failure)

    def _give_up(self, case: Case, step: str, failure: Failure) -> None:
        """What is wrong with the image is a verdict; what is wrong with us is a dead letter, to be replayed."""
        if isinstance(failure, Unprocessable):
            self._conclusions.settle(case, Ruling(Decision.UNPROCESSABLE, (failure.reason,)))
        else:
            self._conclusions.bury(case.delivered, step, failure)
        facts = {"stage": "classifier", "step": step}
        self._tracing.processed(processed([(case.delivered, case.traceparent)], facts, failure))


def _span(batch: Batch[Decoded], decisions: Mapping[str, int]) -> Processed:
    messages = [(decoded.case.delivered, decoded.case.traceparent) for decoded in batch.items]
    facts: dict[str, str | int] = {"stage": "classifier", "frames": batch.weight, "closed_by": batch.closed_by.value}
    return processed(messages, {**facts, **decisions})
