"""From a decision to the records that say so. Pure: what time it is comes from the caller."""

from dataclasses import dataclass
from datetime import datetime

from sluicegate_consumer.delivery.dead_letters import dead_letter
from sluicegate_consumer.delivery.values import Delivered, Outcome, Record
from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_schemas.cloudevents import write
from sluicegate_schemas.events import (
    Decision,
    Escalation,
    Event,
    ModelReference,
    PolicyReference,
    Review,
    SecondOpinion,
    Stage,
    Verdict,
)
from sluicegate_schemas.identity import verdict_id
from sluicegate_schemas.topics import Topics


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Writes down what a tier decides."""

    stage: Stage
    source: str
    """The CloudEvents source, part of every verdict id."""
    topics: Topics

    def decided(
        self,
        case: Case,
        ruling: Ruling,
        now: datetime,
        *,
        model: ModelReference | None = None,
        opinion: SecondOpinion | None = None,
    ) -> Outcome:
        """A verdict; with it an escalation or a review where the decision asks for one.

        Args:
            case: What is known of the upload.
            ruling: The decision and its reasons.
            now: When it was decided.
            model: The model that was asked; None where none was.
            opinion: What the second tier's model said.
        """
        verdict = self._verdict(case, ruling, now, model, opinion)
        records = [self._record(self.topics.verdicts, case, verdict)]
        if verdict.decision is Decision.ESCALATED and self.stage is Stage.CLASSIFIER:
            escalation = Escalation(upload=case.upload, verdict=verdict, category_scores=case.category_scores)
            records.append(self._record(self.topics.escalations, case, escalation, with_image=True))
        if verdict.decision is Decision.REVIEW:
            review = Review(upload=case.upload, verdict=verdict, provisional=case.provisional)
            records.append(self._record(self.topics.reviews, case, review, with_image=True))
        return Outcome(case.delivered.ticket, tuple(records))

    def buried(self, delivered: Delivered, step: str, error: Exception) -> Outcome:
        """A dead letter."""
        return dead_letter(delivered, topic=self.topics.dead_letters, stage=step, error=error)

    def _verdict(
        self,
        case: Case,
        ruling: Ruling,
        now: datetime,
        model: ModelReference | None,
        opinion: SecondOpinion | None,
    ) -> Verdict:
        upload = case.upload
        return Verdict(
            verdict_id=verdict_id(
                source=self.source,
                upload_id=upload.upload_id,
                uploaded_at=upload.uploaded_at,
                image_sha256=case.image.sha256,
                stage=self.stage,
                policy_version=case.policy.version,
                model_revision=model.digest if model else None,
            ),
            upload_id=upload.upload_id,
            tenant=upload.tenant,
            surface=upload.surface,
            uploaded_at=upload.uploaded_at,
            revision=self.stage.revision,
            decision=ruling.decision,
            category=ruling.category,
            scores=case.scores,
            stage=self.stage,
            reasons=ruling.reasons,
            policy=PolicyReference(name=case.policy.name, version=case.policy.version),
            model=model,
            image=case.image,
            second_opinion=opinion,
            worst_frame=case.worst_frame,
            timings=case.all_timings(),
            decided_at=now,
        )

    def _record(self, topic: str, case: Case, event: Event, *, with_image: bool = False) -> Record:
        inline = case.inline if with_image else None
        message = write(
            event,
            source=self.source,
            inline=inline,
            media_type=case.image.media_type if inline is not None else None,
            traceparent=case.traceparent,
        )
        return Record(topic, message)
