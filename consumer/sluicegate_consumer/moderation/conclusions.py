"""How a record ends in either tier: its outcome is written, counted, and handed to the engine."""

import asyncio
from datetime import UTC, datetime

import structlog

from sluicegate_consumer.delivery.values import Delivered, Outcome
from sluicegate_consumer.moderation.case import Case
from sluicegate_consumer.moderation.outcomes import Outcomes
from sluicegate_consumer.operations.metrics import Metrics
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_schemas.events import ModelReference, SecondOpinion

log = structlog.get_logger()


class Conclusions:
    """Settles what was decided and buries what cannot be. Every record that is read ends here, once."""

    def __init__(self, outcomes: Outcomes, metrics: Metrics, outbox: asyncio.Queue[Outcome]) -> None:
        self._outcomes = outcomes
        self._metrics = metrics
        self._outbox = outbox

    def settle(
        self,
        case: Case,
        ruling: Ruling,
        *,
        model: ModelReference | None = None,
        opinion: SecondOpinion | None = None,
    ) -> None:
        """With a verdict, and what follows from it.

        Args:
            case: The upload.
            ruling: What the policy says.
            model: Whose scores or answer it rests on, if on any.
            opinion: The second tier's, if one was given.
        """
        outcome = self._outcomes.decided(case, ruling, datetime.now(UTC), model=model, opinion=opinion)
        self._metrics.verdict(self._outcomes.stage, ruling.decision, ruling.category, ruling.reasons[0])
        self._metrics.took("total", case.timings["total_ms"] / 1000)
        self._outbox.put_nowait(outcome)

    def bury(self, delivered: Delivered, step: str, error: Exception) -> None:
        """With a dead letter.

        Args:
            delivered: The record.
            step: Which could not be done.
            error: Why.
        """
        log.warning("dead_letter", step=step, error=str(error), ticket=str(delivered.ticket))
        self._metrics.dead_letter(step, error)
        self._outbox.put_nowait(self._outcomes.buried(delivered, step, error))
