"""What a run comes to in numbers, from its verdict events alone."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluicegate_consumer.demo.progress import Progress
from sluicegate_schemas.events import Decision, Stage, Verdict


@dataclass(frozen=True, slots=True)
class Figures:
    """The head of the report."""

    uploads: int
    counts: Mapping[Decision, int]
    """Uploads by the decision that holds; only those that occur."""
    missing: int
    """Uploads without a final verdict."""
    tier_one_share: float | None
    """Of the uploads with a final verdict, in [0, 1], those that the classifier's tier settled alone."""
    per_second: float | None
    """Uploads through the first tier in a second, from the first one received to the last one decided."""
    p50_ms: float | None
    """Of the first tier's total time, in milliseconds, received to decided."""
    p99_ms: float | None


def figures(progress: Progress) -> Figures:
    """The numbers of a run; None where there is nothing to count."""
    holding = [verdict for submission in progress.submissions if (verdict := progress.holding(submission))]
    missing = len(progress.missing)
    settled = len(progress.submissions) - missing
    second = sum(verdict.stage is not Stage.CLASSIFIER for verdict in holding)
    first_tier = [
        verdict
        for submission in progress.submissions
        for verdict in progress.history(submission)
        if verdict.stage is Stage.CLASSIFIER
    ]
    spent = sorted(verdict.timings.total_ms for verdict in first_tier if verdict.timings.total_ms is not None)
    return Figures(
        uploads=len(progress.submissions),
        counts=Counter(verdict.decision for verdict in holding),
        missing=missing,
        tier_one_share=(settled - second) / settled if settled else None,
        per_second=_rate(first_tier),
        p50_ms=percentile(spent, 50),
        p99_ms=percentile(spent, 99),
    )


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """By nearest rank: the smallest value that at least `percent` percent of them do not exceed; None of none."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _rate(verdicts: Iterable[Verdict]) -> float | None:
    times = [(_received(verdict), verdict.decided_at) for verdict in verdicts]
    if not times:
        return None
    seconds = (max(decided for _, decided in times) - min(received for received, _ in times)).total_seconds()
    return len(times) / seconds if seconds > 0 else None


def _received(verdict: Verdict) -> datetime:
    return verdict.decided_at - timedelta(milliseconds=verdict.timings.total_ms or 0.0)
