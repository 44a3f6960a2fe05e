"""`sluicegate`: the command line. Each command stands in a module of its own, imported when it is run."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from sluicegate_consumer.commands.endings import Ending

COMMANDS = {
    "consume": ("services:consume", "Judge uploads with the first tier's model."),
    "escalate": ("services:escalate", "Ask the second tier about ambiguous images."),
    "publish": ("publish:publish", "Publish images: files, folders, URIs."),
    "verdicts": ("verdicts:verdicts", "Show what was decided."),
    "check": ("check:check", "Is all that is configured reachable, right, and inside the network?"),
    "topics": ("topics:app", "Make the topics that the services need."),
    "dead-letters": ("dead_letters:app", "Look at dead letters, and send them round again."),
    "model": ("model:app", "Bring a model to this machine, and look at one."),
    "policy": ("policy:app", "Check and show a policy file."),
    "demo": ("demo:demo", "See it work on a folder of photographs."),
}
"""Name to where it stands and what the overview says of it."""


class CommandLine(Ending):
    """Imports a command's module when it is run: publishing needs none of what serving needs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that `args` begin with, and the rest of them."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in COMMANDS else command, rest


app = typer.Typer(
    name="sluicegate",
    cls=CommandLine,
    help="Image moderation on your own hardware: upload events in, verdict events out, no image leaves.",
    epilog="Exit codes: 0 done; 1 not done, or not all of it; 2 to be configured first; 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("sluicegate"))
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    pass


def _not_yet_loaded() -> None:
    raise AssertionError("CommandLine puts the real command in this one's place")


for _name, (_, _summary) in COMMANDS.items():
    app.command(_name, help=_summary)(_not_yet_loaded)


def _load(name: str) -> Any:
    module, attribute = COMMANDS[name][0].split(":")
    found = getattr(import_module(f"{__package__}.{module}"), attribute)
    parent = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.callback()(lambda: None)  # else Typer would take the only command for the whole
        parent.command(name)(found)
    group: Any = typer.main.get_command(parent)
    return group.commands[name]


def main() -> None:
    """The console script."""
    app()
