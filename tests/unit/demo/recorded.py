"""A run of the demonstration as its verdict events: scores that the embedded model gave scikit-image's photographs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from sluicegate_consumer.demo.photographs import Submission
from sluicegate_consumer.demo.progress import Progress
from sluicegate_schemas.events import (
    Decision,
    ImageFacts,
    ModelReference,
    PolicyReference,
    SecondOpinion,
    Stage,
    Timings,
    Verdict,
)

BEGAN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

CLEAR = {
    "astronaut.png": (0.034, 0.038, 0.928),
    "chelsea.png": (0.032, 0.036, 0.932),
    "coffee.png": (0.025, 0.052, 0.923),
    "hubble_deep_field.jpg": (0.034, 0.035, 0.930),
    "motorcycle_left.png": (0.040, 0.055, 0.905),
    "retina.jpg": (0.033, 0.035, 0.931),
    "rocket.jpg": (0.035, 0.034, 0.932),
}
UNSURE = {"coffee-detail.png": (0.068, 0.589, 0.343)}
TINY = {"no_time_for_that_tiny.gif": (0.044, 0.758, 0.199)}
REJECTED = {"logo-detail.png": (0.029, 0.821, 0.150)}  # rejected under a policy that rejects from 0.8
NAMES = (*CLEAR, *UNSURE, *TINY, *REJECTED, "multipage_rgb.tif")


def submission(name: str) -> Submission:
    return Submission(f"upload-{name}", Path("/photographs") / name, name)


def verdict(name: str, decision: Decision, scores: tuple[float, ...] = (), **changes: object) -> Verdict:
    """The first tier's verdict about a file, decided half a second into the run if not said otherwise."""
    number = NAMES.index(name) if name in NAMES else 0
    fields = {
        "verdict_id": uuid5(NAMESPACE_URL, f"{name} {changes.get('stage')}"),
        "upload_id": f"upload-{name}",
        "tenant": "demo",
        "surface": "post",
        "uploaded_at": BEGAN,
        "revision": 1,
        "decision": decision,
        "scores": dict(zip(("NSFL", "NSFW", "SFW"), scores, strict=False)),
        "stage": Stage.CLASSIFIER,
        "policy": PolicyReference(name="default", version="2026-11-01"),
        "model": ModelReference(name="embedded", digest="sha256:" + "5a" * 32) if scores else None,
        "image": ImageFacts(sha256="c0ffee" + "0" * 58, width=600, height=400, media_type="image/png", frames=1),
        "timings": Timings(total_ms=20.0 + number),
        "decided_at": BEGAN + timedelta(milliseconds=500 + 40 * number),
    }
    return Verdict.model_validate(fields | changes)


def recorded_run() -> Progress:
    """Seven approved, one escalated and then sent to review, one degenerate, one rejected, one undecodable."""
    progress = Progress(tuple(submission(name) for name in NAMES))
    for name, scores in CLEAR.items():
        progress.record(verdict(name, Decision.APPROVED, scores, reasons=("clear",)))
    for name, scores in UNSURE.items():
        provisional = verdict(name, Decision.ESCALATED, scores, category="sexual", reasons=("between_bands",))
        progress.record(provisional)
        progress.record(second_opinion(provisional))
    for name, scores in TINY.items():
        facts = ImageFacts(sha256="61f" + "0" * 61, width=14, height=25, media_type="image/gif", frames=24)
        progress.record(
            verdict(name, Decision.REVIEW, scores, reasons=("degenerate_image",), image=facts, worst_frame=15)
        )
    for name, scores in REJECTED.items():
        progress.record(verdict(name, Decision.REJECTED, scores, category="sexual", reasons=("above_reject",)))
    progress.record(
        verdict("multipage_rgb.tif", Decision.UNPROCESSABLE, reasons=("image_undecodable",), image=ImageFacts())
    )
    return progress


def second_opinion(provisional: Verdict) -> Verdict:
    """A language model that is not sure."""
    return provisional.model_copy(
        update={
            "verdict_id": uuid5(NAMESPACE_URL, f"{provisional.verdict_id} vlm"),
            "revision": Stage.VLM.revision,
            "stage": Stage.VLM,
            "decision": Decision.REVIEW,
            "reasons": ("vlm_unsure",),
            "second_opinion": SecondOpinion(decision="unsure", score=0.41),
            "timings": Timings(total_ms=1840.0),
            "decided_at": provisional.decided_at + timedelta(seconds=2),
        }
    )
