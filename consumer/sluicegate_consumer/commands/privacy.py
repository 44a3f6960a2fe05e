"""`sluicegate check --privacy`: what this process may reach and why."""

from dataclasses import asdict

import orjson
import typer
from rich.console import Console
from rich.table import Table

from sluicegate_consumer.commands.checks.privacy import Reach, Standing, silenced, survey_reach
from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.commands.terminal import literal, print_json_line, run
from sluicegate_consumer.operations.redaction import mask_text
from sluicegate_consumer.operations.settings import Settings

ENDINGS = {Standing.REFUSED: ExitCode.CONFIGURATION, Standing.UNKNOWN: ExitCode.FAILED}
COLOURS = {Standing.FINE: "", Standing.REFUSED: "bold red", Standing.UNKNOWN: "yellow"}
BEYOND = (
    "The audit hook sees Python's sockets, not those of native code; an allow-list is kept by the client that has it. "
    "What neither sees is for the cluster's NetworkPolicy, which cannot be seen from here: docs/privacy.md."
)
FILE_COLUMNS = 160
"""Width of the table where no terminal has one."""


def report_privacy(settings: Settings, timeout_s: float, *, asks_models: bool, as_json: bool) -> None:
    """Print the table, or one JSON object; see `survey_reach`.

    Raises:
        typer.Exit: something is refused, or cannot be told.
    """
    reach = run(survey_reach(settings, timeout_s, asks_models=asks_models))
    standings = {line.standing for line in reach}
    if as_json:
        lines = [asdict(line) for line in reach]
        print_json_line(orjson.dumps({"ok": standings == {Standing.FINE}, "reach": lines, "silenced": silenced()}))
    else:
        _print(reach)
    for standing, code in ENDINGS.items():
        if standing in standings:
            raise typer.Exit(code)


def _print(reach: list[Reach]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=FILE_COLUMNS)
    table = Table(show_lines=True)
    for heading in ("may be reached", "why", "all else refused by", "verdict"):
        table.add_column(heading, overflow="fold")
    for line in reach:
        where = ", ".join((line.destination, *(each for each in line.addresses if each not in line.destination)))
        cells = (where, line.why, line.enforced_by, line.verdict)
        table.add_row(*(literal(mask_text(cell)) for cell in cells), style=COLOURS[line.standing])
    console.print(table)
    console.print(
        "No library reports to its maker: " + ", ".join(f"{name}={value}" for name, value in silenced().items())
    )
    console.print(BEYOND)
