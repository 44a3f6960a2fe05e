"""`sluicegate dead-letters`: look at records that could not be handled, and send them round again."""

from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.commands.replay import Selection, replay, select
from sluicegate_consumer.commands.terminal import literal, print_json_line, run, terminal_settings, utc
from sluicegate_consumer.delivery.dead_letters import errors_of
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.delivery.values import Arrival
from sluicegate_consumer.errors import ConfigurationError, Poison
from sluicegate_consumer.operations.settings import Settings

app = typer.Typer(help="Look at dead letters, and send them round again.", no_args_is_help=True)


@app.command("list")
def list_letters(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the latest of each read.")] = None,
) -> None:
    """Show where each dead letter came from and why it is one; never what is in it."""
    letters = run(_described(terminal_settings(), limit))
    if as_json:
        for letter in letters:
            print_json_line(orjson.dumps(letter))
    else:
        Console().print(_table(letters))


@app.command("replay")
def replay_letters(
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    partition: Annotated[int | None, typer.Option("--from-partition", min=0, help="Those in this partition.")] = None,
    offset: Annotated[int | None, typer.Option(min=0, help="With --from-partition: the one at this offset.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only those that came from this topic.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Send dead letters back to the topics they came from, as they were: key, value, headers and timestamp.

    A timestamp so old that its topic would drop the record is brought forward. They stay in the dead-letter topic.
    To replay one twice does no harm: the same work has the same verdict. With --from-partition, none there is a
    failure: exit code 1.
    """
    if everything == (partition is not None):
        raise ConfigurationError("say which: either --all, or --from-partition with or without --offset")
    if offset is not None and partition is None:
        raise ConfigurationError("--offset needs --from-partition: offsets count within a partition")
    settings = terminal_settings()
    selection = run(select(settings, partition=partition, offset=offset, topic=topic))
    _report(selection)
    if not selection.chosen:
        # Of all there are, none is fine; who names a place knows of one there, and must learn that it was not sent.
        if partition is not None:
            typer.echo(_nothing_at(partition, offset, topic), err=True)
        raise typer.Exit(ExitCode.FAILED if selection.foreign or partition is not None else ExitCode.OK)
    if not yes:
        typer.confirm("Send them?", abort=True)
    sent = run(replay(settings, selection))
    typer.echo(f"sent {sent}")
    if selection.foreign:
        raise typer.Exit(ExitCode.FAILED)


def _report(selection: Selection) -> None:
    for topic, count in sorted(selection.counts.items()):
        typer.echo(f"{count} to {topic}")
    if not selection.chosen:
        typer.echo("no dead letter chosen")
    for place in selection.foreign:
        typer.echo(f"not a dead letter, left alone: partition {place[0]}, offset {place[1]}", err=True)


def _nothing_at(partition: int, offset: int | None, topic: str | None) -> str:
    place = f"partition {partition}" + (f", offset {offset}" if offset is not None else "")
    origin = f" that came from {topic}" if topic is not None else ""
    return f"{place}: no dead letter there{origin}: sluicegate dead-letters list shows where they are"


async def _described(settings: Settings, limit: int | None) -> list[dict[str, Any]]:
    latest: deque[dict[str, Any]] = deque(maxlen=limit)
    async for arrival in read_topic(settings.kafka, settings.topics.dead_letters):
        latest.append(_described_letter(arrival))
    return list(latest)


def _described_letter(arrival: Arrival) -> dict[str, Any]:
    message = arrival.message
    try:
        errors: Mapping[str, str] = errors_of(message)
    except Poison as error:
        errors = {"exception.message": str(error)}
    return {
        "partition": arrival.partition.number,
        "offset": arrival.offset,
        "timestamp_ms": message.timestamp_ms,
        "key": message.key.decode(errors="backslashreplace") if message.key is not None else None,
        "value_bytes": len(message.value) if message.value is not None else None,
        "errors": errors,
    }


def _table(letters: list[dict[str, Any]]) -> Table:
    table = Table("at", "time (UTC)", "key", "bytes", "from", "stage", "why", title=f"{len(letters)} dead letters")
    for letter in letters:
        errors = letter["errors"]
        cells = (
            f"{letter['partition']}/{letter['offset']}",
            utc(letter["timestamp_ms"]),
            letter["key"] or "",
            str(letter["value_bytes"]),
            f"{errors.get('topic', '?')} {errors.get('partition', '?')}/{errors.get('offset', '?')}",
            errors.get("stage", "?"),
            f"{errors.get('exception.class.name', '')}: {errors['exception.message']}",
        )
        table.add_row(*map(literal, cells))
    return table
