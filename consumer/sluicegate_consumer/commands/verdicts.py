"""`sluicegate verdicts`: what was decided."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from operator import itemgetter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sluicegate_consumer.commands.terminal import literal, print_json_line, run, terminal_settings, utc
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.delivery.values import Arrival
from sluicegate_consumer.operations.settings import Settings
from sluicegate_schemas.cloudevents import read_verdict
from sluicegate_schemas.errors import EventError
from sluicegate_schemas.events import Decision, Verdict
from sluicegate_schemas.identity import supersedes

COLOURS = {
    Decision.APPROVED: "green",
    Decision.REJECTED: "red",
    Decision.ESCALATED: "yellow",
    Decision.REVIEW: "magenta",
    Decision.UNPROCESSABLE: "dim",
}


def verdicts(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those to come.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as published, one a line.")] = False,
    upload_id: Annotated[str | None, typer.Option(help="Only those of this upload.")] = None,
) -> None:
    """Show the verdict that holds for each upload: of its latest image, that of the highest revision.

    With --follow or --json every verdict is printed as it comes, also those that a later one replaces.
    """
    settings = terminal_settings()
    if as_json:
        run(_print_events(settings, follow, upload_id))
    elif follow:
        run(_print_lines(settings, upload_id))
    else:
        Console().print(_table(run(_holding(settings, upload_id))))


async def _print_events(settings: Settings, follow: bool, upload_id: str | None) -> None:
    async with aclosing(_read(settings, follow, upload_id)) as arrivals:
        async for arrival in arrivals:
            if arrival.message.value is not None and _verdict(arrival) is not None:
                print_json_line(arrival.message.value)


async def _print_lines(settings: Settings, upload_id: str | None) -> None:
    console = Console()
    async with aclosing(_read(settings, follow=True, upload_id=upload_id)) as arrivals:
        async for arrival in arrivals:
            if (verdict := _verdict(arrival)) is not None:
                console.print(Text("  ").join(_cells(verdict)), soft_wrap=True)


async def _holding(settings: Settings, upload_id: str | None) -> list[Verdict]:
    held: dict[bytes | None, Verdict] = {}
    async for arrival in _read(settings, follow=False, upload_id=upload_id):
        key = arrival.message.key
        if arrival.message.value is None:  # a tombstone: the platform has had it erased
            held.pop(key, None)
        elif (verdict := _verdict(arrival)) is not None and (key not in held or supersedes(verdict, held[key])):
            held[key] = verdict
    return list(held.values())


async def _read(settings: Settings, follow: bool, upload_id: str | None) -> AsyncGenerator[Arrival, None]:
    key = upload_id.encode() if upload_id is not None else None
    async with aclosing(read_topic(settings.kafka, settings.topics.verdicts, follow=follow)) as arrivals:
        async for arrival in arrivals:
            if key in (None, arrival.message.key):
                yield arrival


def _verdict(arrival: Arrival) -> Verdict | None:
    """The verdict in a record; None for a tombstone, and for what is none, which standard error is told."""
    if arrival.message.value is None:
        return None
    try:
        return read_verdict(arrival.message)
    except EventError as error:
        place = f"partition {arrival.partition.number}, offset {arrival.offset}"
        typer.echo(f"not a verdict, skipped: {place}: {error}", err=True)
        return None


def _table(held: list[Verdict]) -> Table:
    counts = Counter(verdict.decision for verdict in held)
    title = ", ".join(f"{counts[decision]} {decision}" for decision in Decision if counts[decision])
    table = Table(title=title or "no verdicts", title_justify="left")
    for heading in ("decided (UTC)", "upload", "decision", "category", "strongest label", "stage", "policy", "reasons"):
        table.add_column(heading)
    for verdict in sorted(held, key=lambda each: each.decided_at):
        table.add_row(*_cells(verdict))
    return table


def _cells(verdict: Verdict) -> list[Text]:
    return [
        Text(utc(verdict.decided_at)),
        literal(verdict.upload_id),
        Text(verdict.decision, style=COLOURS[verdict.decision]),
        Text(verdict.category or ""),
        literal(_strongest(verdict)),
        Text(verdict.stage),
        literal(f"{verdict.policy.name} {verdict.policy.version}"),
        Text(" ".join(verdict.reasons)),
    ]


def _strongest(verdict: Verdict) -> str:
    """The label that the model found likeliest, and how likely."""
    if not verdict.scores:
        return ""
    label, score = max(verdict.scores.items(), key=itemgetter(1))
    return f"{label} {score:.3f}"
