"""The page that a run leaves behind: one HTML file with everything in it, opened from the disk, calling nothing."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sluicegate_consumer.demo.figures import figures
from sluicegate_consumer.demo.progress import Progress
from sluicegate_schemas.events import Decision, Stage, Verdict

TIERS = {Stage.CLASSIFIER: "tier 1, classifier", Stage.VLM: "tier 2, language model", Stage.HUMAN: "human"}
MARKS = {
    Decision.APPROVED: "✓",
    Decision.REJECTED: "✕",
    Decision.ESCALATED: "↑",
    Decision.REVIEW: "?",
    Decision.UNPROCESSABLE: "∅",
}
FEW_LABELS = 8
MANY_MS = 10_000
SHORT = 12
"""Digits of a digest that are shown; the whole one is in its title."""


@dataclass(frozen=True, slots=True)
class SecondTier:
    """What the page says of the language model."""

    line: str
    """Whether it took part, in one sentence."""
    prompt: str | None = None
    """The system text that was sent, or would have been."""
    answer_schema: Mapping[str, Any] | None = None
    """JSON Schema of the answer."""


@dataclass(frozen=True, slots=True)
class Illustrations:
    """What the page shows beside the verdicts."""

    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    """JPEG by upload id, without metadata; those that could not be decoded are absent."""
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Label to (approve below, reject from), in [0, 1], where the policy judges the label."""


def render(progress: Progress, second_tier: SecondTier, illustrations: Illustrations) -> str:
    """The page. File names, labels and prompts are escaped; images are inlined."""
    environment = Environment(
        loader=PackageLoader("sluicegate_consumer.demo", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "by_score": _by_score,
        "data_uri": _data_uri,
        "milliseconds": _milliseconds,
        "pretty": _pretty,
        "short": _short,
    }
    return environment.get_template("report.html.j2").render(
        cards=[(submission, progress.history(submission)) for submission in progress.submissions],
        figures=figures(progress),
        decisions=list(Decision),
        marks=MARKS,
        tiers=TIERS,
        second_tier=second_tier,
        illustrations=illustrations,
        judged_by=_judged_by(progress),
    )


def _judged_by(progress: Progress) -> Verdict | None:
    """A verdict that names the first tier's model and policy: the same ones for all of a run."""
    verdicts = (verdict for submission in progress.submissions for verdict in progress.history(submission))
    return next((verdict for verdict in verdicts if verdict.stage is Stage.CLASSIFIER and verdict.model), None)


def _by_score(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    """Few labels stay in the model's order, so that cards can be compared; of many the highest come first."""
    pairs = list(scores.items())
    return pairs if len(pairs) <= FEW_LABELS else sorted(pairs, key=lambda pair: -pair[1])


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:SHORT]


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value / 1000:.1f} s" if value >= MANY_MS else f"{value:.0f} ms"


def _pretty(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
