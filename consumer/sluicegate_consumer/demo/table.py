"""The table on the terminal: one line for each image, the decision in words and in colour."""

from collections import Counter
from operator import itemgetter

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
COLUMNS = ("decision", "category", "score", "tier", "time")
"""Behind the image's name, which alone is cut where the terminal is narrow."""


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
    found.add_column("image")
    for name in COLUMNS:
        justify: JustifyMethod = "right" if name == "time" else "left"
        found.add_column(name, justify=justify, no_wrap=True)
    for submission in submissions:
        found.add_row(Text(submission.name, no_wrap=True, overflow="ellipsis"), *_cells(progress.holding(submission)))
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
    spent = verdict.timings.total_ms
    return (
        Text(verdict.decision, style=COLOURS[verdict.decision]),
        Text(verdict.category or ""),
        Text(_strongest(verdict)),
        Text(TIERS[verdict.stage]),
        Text("" if spent is None else f"{spent:,.0f} ms"),
    )


def _strongest(verdict: Verdict) -> str:
    if not verdict.scores:
        return ""
    label, score = max(verdict.scores.items(), key=itemgetter(1))
    return f"{label} {score:.3f}"
