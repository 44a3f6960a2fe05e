"""What the page for operators tells them to type and to look for is there: commands, options, metrics, settings."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from sluicegate_consumer.commands.app import COMMANDS, app
from sluicegate_consumer.operations.metrics_catalogue import CATALOGUE
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.settings_catalogue import entries

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
CODE = [block or inline for block, inline in re.findall(r"```bash\n(.*?)```|`([^`\n]+)`", PAGE, re.DOTALL)]
WORD = r"(?: +(?:--?)?[a-z][a-z-]*| +\d+)"


def typed() -> list[str]:
    """Every command line of ours on the page, up to what is not a plain word."""
    lines = re.findall(rf"(?<![\w/-])sluicegate({WORD}+)", "\n".join(CODE).replace("\\\n", " "))
    return sorted({" ".join(line.split()) for line in lines if line.split()[0] in COMMANDS})


@pytest.mark.parametrize("line", typed())
def test_a_command_and_its_options_are_there(line: str):
    command: Any = typer.main.get_command(app)
    words = line.split()
    with command.make_context("sluicegate", [], resilient_parsing=True) as context:
        while words and not words[0].startswith("-"):
            if not hasattr(command, "resolve_command"):
                break  # an argument
            _, command, words = command.resolve_command(context, words)
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_the_page_does_tell_what_to_type():
    assert {"check", "dead-letters list --limit 20", "dead-letters replay --all --yes", "model show"} <= set(typed())


def test_every_metric_that_is_named_is_there():
    shown = {name for metric in CATALOGUE for name in metric.shown} | {metric.name for metric in CATALOGUE}
    named = set(re.findall(r"(?<![\w:])sluicegate_[a-z_]+[a-z]", PAGE))
    assert named
    assert set() == {name for name in named if not any(each.startswith(name) for each in shown)}


def test_every_setting_that_is_named_is_there():
    known = {entry.key for entry in entries(Settings)}
    sections = {key.partition(".")[0] for key in known if "." in key}
    named = {code for code in CODE if re.fullmatch(r"[a-z_]+\.[a-z_]+", code) and code.partition(".")[0] in sections}
    assert named
    of_the_policy = {"second_opinion.outage", "second_opinion.deadline"}
    assert set() == named - known - of_the_policy
