"""`sluicegate check`: is all that this configuration names reachable, right, and inside the network?"""

from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.text import Text

from sluicegate_consumer.commands.checks.finding import Check, Finding, Level, run_checks
from sluicegate_consumer.commands.checks.images import check_images
from sluicegate_consumer.commands.checks.judging import check_judging, check_policy
from sluicegate_consumer.commands.checks.kafka import check_kafka
from sluicegate_consumer.commands.checks.network import check_network
from sluicegate_consumer.commands.checks.second_tier import check_second_tier
from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.commands.privacy import report_privacy
from sluicegate_consumer.commands.terminal import print_json_line, run, terminal_settings
from sluicegate_consumer.operations.settings_catalogue import printable


class Service(StrEnum):
    """Whose configuration it is."""

    CONSUME = "consume"
    ESCALATE = "escalate"


PLACES: dict[str, Check] = {"network": check_network, "kafka": check_kafka, "images": check_images}
CHECKS: dict[Service | None, dict[str, Check]] = {
    None: PLACES | {"judging": check_judging, "second tier": check_second_tier},
    Service.CONSUME: PLACES | {"judging": check_judging},
    Service.ESCALATE: PLACES | {"judging": check_policy, "second tier": check_second_tier},
}

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


def check(
    service: Annotated[Service | None, typer.Argument(help="Only what this service needs.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one check may take.")] = 20,
    privacy: Annotated[
        bool, typer.Option("--privacy", help="Only what may be reached, why, and what refuses the rest.")
    ] = False,
) -> None:
    """Look at everything that the settings name, and print them, secrets masked. Changes nothing.

    Where only one service runs, name it: what it does not need may well be missing there.

    Exit code 1 where there is a problem; a warning is none. With --privacy 2 where something outside is named that
    egress.allowed_hosts does not allow, and 1 where it cannot be told.
    """
    settings = terminal_settings()
    if privacy:
        report_privacy(settings, timeout, asks_models=service is not Service.CONSUME, as_json=as_json)
        return
    findings = run(run_checks(CHECKS[service], settings, timeout))
    failed = any(finding.level is Level.PROBLEM for finding in findings)
    if as_json:
        report = {"ok": not failed, "settings": printable(settings), "checks": findings}
        print_json_line(orjson.dumps(report))
    else:
        _print(printable(settings), findings)
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _print(settings: dict[str, Any], findings: list[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for key, value in settings.items():
        console.print(Text(f"{key}: {'' if value is None else value}", style="dim"))
    console.print()
    for finding in findings:
        line = Text.assemble((f"{finding.level:<8}", COLOURS[finding.level]), f"{finding.check}: {finding.message}")
        console.print(line)
