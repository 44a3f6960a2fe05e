"""Which verdicts have come, which uploads still wait for theirs."""

from dataclasses import dataclass, field
from uuid import UUID

from sluicegate_consumer.demo.photographs import Submission
from sluicegate_schemas.events import Decision, Stage, Verdict


def is_final(verdict: Verdict) -> bool:
    """Whether nobody but a human will change it: `escalated` is provisional only while it is the first tier's word."""
    return verdict.decision is not Decision.ESCALATED or verdict.revision >= Stage.VLM.revision


@dataclass(slots=True)
class Progress:
    """The uploads of one run and the verdicts that have come for them."""

    submissions: tuple[Submission, ...]
    _histories: dict[str, dict[UUID, Verdict]] = field(init=False)

    def __post_init__(self) -> None:
        self._histories = {submission.upload_id: {} for submission in self.submissions}

    def record(self, verdict: Verdict) -> None:
        """Take note of a published verdict. Of several copies of a verdict id the first counts."""
        self._histories[verdict.upload_id].setdefault(verdict.verdict_id, verdict)

    def history(self, submission: Submission) -> tuple[Verdict, ...]:
        """Its verdicts, the one that holds last: each id is uploaded once, so the highest revision holds."""
        found = self._histories[submission.upload_id].values()
        return tuple(sorted(found, key=lambda verdict: verdict.revision))

    def holding(self, submission: Submission) -> Verdict | None:
        """The verdict that holds; None while there is none."""
        history = self.history(submission)
        return history[-1] if history else None

    @property
    def count(self) -> int:
        """How many verdicts have come, copies not counted."""
        return sum(len(history) for history in self._histories.values())

    @property
    def missing(self) -> tuple[Submission, ...]:
        """Those without a final verdict, in the order of their upload."""
        return tuple(submission for submission in self.submissions if not self._settled(submission))

    def _settled(self, submission: Submission) -> bool:
        verdict = self.holding(submission)
        return verdict is not None and is_final(verdict)
