"""The second tier: read, fetch, shrink, ask, judge. Begin at `Escalations.run`."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import structlog

from sluicegate_consumer.delivery.values import Delivered, Outcome
from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.image import Decoder, Fetcher, Rendition
from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.moderation.conclusions import Conclusions
from sluicegate_consumer.moderation.fetching import Fetching
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.moderation.spans import processed
from sluicegate_consumer.moderation.station import Failure, station
from sluicegate_consumer.moderation.waiting_room import WaitingRoom
from sluicegate_consumer.operations.metrics import Metrics
from sluicegate_consumer.operations.tracing import NoTracing, Tracing
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.judge import NOBODY_TO_ASK, judge, outage_ruling
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_consumer.second_opinion.opinion import (
    NoOpinion,
    Opinion,
    Question,
    SecondTier,
    SecondTierAway,
)
from sluicegate_schemas.cloudevents import read_escalation
from sluicegate_schemas.events import Decision, ModelReference, Reason, SecondOpinion

SWEEP_S = 0.5
"""How often those that wait are looked through while no language model can be asked."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much happens at the same time."""

    escalations: int
    questions: int
    inline_bytes: int
    """Size of an image that an escalation may carry along."""


class Escalations:
    """Turns escalation records into outcomes."""

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        decoder: Decoder,
        rendition: Rendition,
        tier: SecondTier,
        policies: PolicyDocument,
        outcomes: Outcomes,
        limits: Limits,
        metrics: Metrics,
        tracing: Tracing | None = None,
    ) -> None:
        self._fetching = Fetching(fetcher, limits.inline_bytes, metrics)
        self._decoder = decoder
        self._rendition = rendition
        self._tier = tier
        self._policies = policies
        self._outcomes = outcomes
        self._limits = limits
        self._metrics = metrics
        self._tracing = tracing or NoTracing()
        self._waiting = WaitingRoom()

    @property
    def capacity(self) -> int:
        """Escalations that may be inside at the same time."""
        return self._limits.escalations

    async def run(self, inbox: asyncio.Queue[Delivered], outbox: asyncio.Queue[Outcome]) -> None:
        """The pipeline, stage by stage; see `Stages`."""
        self._conclusions = Conclusions(self._outcomes, self._metrics, outbox)
        async with asyncio.TaskGroup() as group:
            group.create_task(station(inbox.get, self._read, self._waiting.enter, self._bury_unread))
            for _ in range(self._limits.questions):
                group.create_task(station(self._next, self._answer, _done, self._give_up))
            group.create_task(self._sweep())

    async def _read(self, delivered: Delivered) -> Case:
        received = read_escalation(delivered.message)
        upload, provisional = received.event.upload, received.event.verdict
        case = Case(
            delivered,
            upload,
            received.inline,
            received.traceparent,
            self._policies.policy(upload.policy),
            provisional=provisional,
            image=provisional.image,
            scores=provisional.scores,
            category_scores=received.event.category_scores,
            worst_frame=provisional.worst_frame,
        )
        self._metrics.took("queue", case.note_queue(provisional.decided_at))
        return case

    async def _next(self) -> Case:
        await self._tier.wait_available()
        return await self._waiting.next()

    async def _answer(self, case: Case) -> None:
        """Fetch, shrink, ask and judge one escalation; leaves its outcome, or puts it back to wait."""
        if case.policy.second_opinion is None:
            self._settle(case, NOBODY_TO_ASK)
            return
        image = await self._fetching.image_of(case)
        if image.sha256 != case.image.sha256:
            self._settle(case, Ruling(Decision.REVIEW, (Reason.IMAGE_CHANGED,)))
            return
        began = time.perf_counter_ns()
        rendered = await self._decoder.render(image.data, case.worst_frame or 0, self._rendition)
        self._metrics.took("render", case.note_time("decode", began))
        await self._ask(case, Question(case.policy.name, rendered.jpeg, rendered.width, rendered.height))

    async def _ask(self, case: Case, question: Question) -> None:
        began = time.perf_counter_ns()
        try:
            opinion = await self._tier.ask(question)
        except SecondTierAway as away:
            log.warning("second_tier_away", error=str(away), waiting=len(self._waiting) + 1)
            self._metrics.opinion("away", case.note_time("inference", began))
            self._waiting.back_to_the_front(case)
        except NoOpinion as none:
            log.warning("no_opinion", error=str(none), ticket=str(case.delivered.ticket))
            self._metrics.opinion("invalid", case.note_time("inference", began))
            self._settle(case, Ruling(Decision.REVIEW, (Reason.VLM_ANSWER_INVALID,)))
        else:
            self._metrics.opinion(opinion.answer, case.note_time("inference", began))
            self._judge(case, opinion)

    def _judge(self, case: Case, opinion: Opinion) -> None:
        ruling = judge(case.policy, opinion, case.category_scores)
        self._settle(
            case,
            ruling,
            ModelReference(name=opinion.model, digest=opinion.digest),
            SecondOpinion(decision=opinion.answer, score=opinion.score),
        )

    async def _sweep(self) -> NoReturn:
        """While nobody can be asked, apply each policy's outage rule to what has waited too long."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self._report()
            if self._tier.available:
                continue
            for case, ruling in self._waiting.let_go(_outage):
                self._settle(case, ruling)

    def _report(self) -> None:
        first = self._waiting.first
        self._metrics.breakers({server: state.value for server, state in self._tier.breakers.items()})
        self._metrics.escalations_waiting(len(self._waiting), _age(first).total_seconds() if first else 0.0)

    def _settle(
        self,
        case: Case,
        ruling: Ruling,
        model: ModelReference | None = None,
        opinion: SecondOpinion | None = None,
    ) -> None:
        self._conclusions.settle(case, ruling, model=model, opinion=opinion)
        self._metrics.escalation_settled(_age(case).total_seconds())
        facts = {"stage": "vlm", "decision": str(ruling.decision), "reason": ruling.reasons[0]}
        self._tracing.processed(processed([(case.delivered, case.traceparent)], facts))

    def _bury_unread(self, delivered: Delivered, failure: Failure) -> None:
        self._bury(delivered, None, "read", failure)

    def _give_up(self, case: Case, failure: Failure) -> None:
        """An image that is gone needs no human; one that the first tier could judge and we cannot, does."""
        if not isinstance(failure, Unprocessable):
            self._bury(case.delivered, case.traceparent, "fetch", failure)
        elif failure.reason is Reason.IMAGE_MISSING:
            self._settle(case, Ruling(Decision.UNPROCESSABLE, (failure.reason,)))
        elif failure.reason is Reason.IMAGE_DIGEST_MISMATCH:
            self._settle(case, Ruling(Decision.REVIEW, (Reason.IMAGE_CHANGED,)))
        else:
            self._settle(case, Ruling(Decision.REVIEW, (failure.reason,)))

    def _bury(self, delivered: Delivered, traceparent: str | None, step: str, error: Exception) -> None:
        self._conclusions.bury(delivered, step, error)
        self._tracing.processed(processed([(delivered, traceparent)], {"stage": "vlm", "step": step}, error))


async def _done(_: None) -> None:
    """The answer has left its outcome already."""


def _outage(case: Case) -> Ruling | None:
    return outage_ruling(case.policy, _age(case))


def _age(case: Case) -> timedelta:
    """Since the first tier's verdict. Clocks of two machines may disagree: never less than 0."""
    since = case.provisional.decided_at if case.provisional else case.upload.uploaded_at
    return max(timedelta(0), datetime.now(UTC) - since)
