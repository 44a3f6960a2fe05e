"""What both tiers' decisions have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sluicegate_consumer.policy.rules import Bands
from sluicegate_schemas.events import Decision


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision and what it rests on."""

    decision: Decision
    reasons: tuple[str, ...]
    """Codes of `Reason`; after those of a second opinion, the sign that the policy lists."""
    category: str | None = None
    """None where the decision rests on no category."""
    worst_frame: int | None = None
    """Position among the scored frames, from 0, of the one that decided; None where no score did."""
    label_scores: Mapping[str, float] = field(default_factory=dict)
    """Of that frame, label to score in [0, 1]."""
    category_scores: Mapping[str, float] = field(default_factory=dict)
    """Of that frame, for the categories that the policy judges."""
    bands: Bands | None = None
    """Those that decided."""
    margin: float | None = None
    """Score minus the edge that it was measured against: reject_above if it reached that, else approve_below.
    Negative if it stayed below."""
