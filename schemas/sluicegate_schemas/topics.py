"""The topics and their default names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of the topics; the defaults are those that the AsyncAPI document shows."""

    uploads: str = "sluicegate.uploads"
    verdicts: str = "sluicegate.verdicts"
    """Compacted, keyed by upload id."""
    escalations: str = "sluicegate.escalations"
    reviews: str = "sluicegate.reviews"
    dead_letters: str = "sluicegate.dead-letters"
