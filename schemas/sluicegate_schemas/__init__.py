"""The events of sluicegate: all that a publisher of uploads or a subscriber to verdicts needs to know."""

from sluicegate_schemas.cloudevents import (
    EventError,
    Received,
    read_escalation,
    read_review,
    read_upload,
    read_verdict,
    write,
)
from sluicegate_schemas.events import Decision, Escalation, ImageReference, Reason, Review, Stage, Upload, Verdict
from sluicegate_schemas.identity import supersedes
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

__all__ = [
    "Decision",
    "Escalation",
    "EventError",
    "ImageReference",
    "Message",
    "Reason",
    "Received",
    "Review",
    "Stage",
    "Topics",
    "Upload",
    "Verdict",
    "read_escalation",
    "read_review",
    "read_upload",
    "read_verdict",
    "supersedes",
    "write",
]
