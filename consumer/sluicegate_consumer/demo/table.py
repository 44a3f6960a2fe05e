"""The table on the terminal: one line for each image, the decision in words and in colour."""

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from sluicegate_consumer.demo.photographs import Submission
from sluicegate_consumer.demo.progress import Progress
from sluicegate_schemas.events import Decision, Stage, Verdict

COLOURS = {
    Decision.APPROVED: "green",
    Decision.REJECTED: "bold red",
    Decision.ESCALATED: "yellow",
    Decision.REVIEW: "magenta",
    Decision.UNPROCESSABLE: "bright_black",
}
TIERS = {Stage.CLASSIFIER: "1", Stage.VLM: "2", Stage.HUMAN: "human"}
COLUMNS = {"image": 16, "decision": 13, "category": 8, "scores": 10, "tier": 4, "time": 8}
"""Heading and the width below which no column is cut, so that 80 columns are enough."""
SCORES_SHOWN = 2


def live_view(progress: Progress, lines: int) -> RenderableType:
    """The table with the count beneath it, no taller than `lines`.

    Where not all uploads fit, those that still wait come first.
    """
    waiting = progress.missing
    room = max(1, lines - 6)  # title, rules, heading and count
    shown = progress.submissions
    if len(shown) > room:
        shown = (*waiting, *(upload for upload in shown if upload not in set(waiting)))[:room]
    return Group(table(progress, shown), summary(progress))


def table(progress: Progress, submissions: tuple[Submission, ...]) -> Table:
    """One line for each of the submissions."""
    found = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name, least in COLUMNS.items():
        justify: JustifyMethod = "right" if name == "time" else "left"
        found.add_column(name, justify=justify, min_width=least, no_wrap=True, overflow="ellipsis")
    for submission in submissions:
        found.add_row(Text(submission.name), *_cells(progress.holding(submission)))
    return found


def summary(progress: Progress) -> Text:
    """How many uploads stand where, for example `12 of 16 final: 10 approved, 2 review`."""
    verdicts = [verdict for submission in progress.submissions if (verdict := progress.holding(submission))]
    counts = Counter(verdict.decision for verdict in verdicts)
    words = ", ".join(f"{counts[decision]} {decision}" for decision in Decision if counts[decision])
    total = len(progress.submissions)
    return Text(f"{total - len(progress.missing)} of {total} final" + (f": {words}" if words else ""))


def _cells(verdict: Verdict | None) -> tuple[Text, ...]:
    if verdict is None:
        return (Text("waiting", style="dim"), *(Text("") for _ in range(4)))
    best = sorted(verdict.scores.items(), key=lambda score: -score[1])[:SCORES_SHOWN]
    spent = verdict.timings.total_ms
    return (
        Text(verdict.decision, style=COLOURS[verdict.decision]),
        Text(verdict.category or ""),
        Text("  ".join(f"{label} {score:.3f}" for label, score in best)),
        Text(TIERS[verdict.stage]),
        Text("" if spent is None else f"{spent:,.0f} ms"),
    )
