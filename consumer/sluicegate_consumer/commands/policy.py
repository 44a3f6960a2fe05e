"""`sluicegate policy`: is this policy file right, and what does it say?"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sluicegate_consumer.errors import SluicegateError
from sluicegate_consumer.operations.settings import load_settings
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.durations import duration_text
from sluicegate_consumer.policy.load import load_policy
from sluicegate_consumer.policy.mapping import Labels
from sluicegate_consumer.policy.rules import Bands, Policy

app = typer.Typer(help="Check and show a policy file.", no_args_is_help=True)

File = Annotated[
    Path | None,
    typer.Argument(help="Policy file; the configured one, or else the one of the package, if not given."),
]
Only = Annotated[str | None, typer.Option("--policy", help="Show this policy alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_BAR_CELLS = 34


@app.command()
def check(file: File = None) -> None:
    """Say whether the file is right; if not, everything that is wrong with it. Exit code 0 or 2."""
    document = _load(file)
    names = ", ".join(document.policies)
    typer.echo(f"ok: version {document.version}, policies {names}, {len(document.models)} models, {document.digest}")


@app.command()
def show(file: File = None, policy: Only = None, as_json: AsJson = False) -> None:
    """Print every policy with what it extends merged in, and what each model's labels mean."""
    document = _load(file)
    try:
        policies = {policy: document.policy(policy)} if policy else document.policies
    except SluicegateError as error:
        raise _failed(error) from error
    if as_json:
        shown = PolicyDocument(document.version, document.digest, document.models, policies)
        typer.echo(TypeAdapter(PolicyDocument).dump_json(shown, indent=2))
        return
    console = Console()
    console.print(f"version {document.version}, {document.digest}", highlight=False)
    for each in policies.values():
        console.print(_policy(each))
    console.print(_models(document.models))


def _load(file: Path | None) -> PolicyDocument:
    try:
        return load_policy(file or load_settings().policy_file)
    except SluicegateError as error:
        raise _failed(error) from error


def _failed(error: SluicegateError) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(2)


def _policy(policy: Policy) -> RenderableType:
    bands: list[tuple[str, Bands | None]] = [(name, category.bands) for name, category in policy.categories.items()]
    if policy.second_opinion:
        bands.append(("(second opinion)", policy.second_opinion.bands))
    table = Table(title=f"\npolicy {policy.name}", title_justify="left", title_style="bold")
    table.add_column("category", no_wrap=True)
    table.add_column("· approved ▒ ambiguous █ rejected", no_wrap=True)
    table.add_column("approve\nbelow", justify="right")
    table.add_column("reject\nabove", justify="right")
    for name, edges in bands:
        if edges is None:
            table.add_row(name, "only the second tier judges it", "", "")
        else:
            table.add_row(name, _bar(edges), f"{edges.approve_below:g}", f"{edges.reject_above:g}")
    for name in sorted(policy.ignored):
        table.add_row(name, "not judged", "", "")
    return Group(table, *map(Text, _rules(policy)))


def _bar(bands: Bands) -> Text:
    approved, rejected_from = (round(edge * _BAR_CELLS) for edge in bands)
    return Text.assemble(
        ("·" * approved, "green"),
        ("▒" * (rejected_from - approved), "yellow"),
        ("█" * (_BAR_CELLS - rejected_from), "red"),
    )


def _rules(policy: Policy) -> Iterable[str]:
    if policy.second_opinion is None:
        yield "ambiguous: review, there is no second opinion"
    elif policy.second_opinion.outage == "hold":
        yield "outage of the second tier: hold"
    else:
        deadline = duration_text(policy.second_opinion.deadline)
        yield f"outage of the second tier: {policy.second_opinion.outage} after {deadline}"
    if policy.second_opinion and policy.second_opinion.prompt:
        yield f"prompt: {policy.second_opinion.prompt}"
    if policy.disagreement:
        yield f"tiers further apart than {policy.disagreement.margin:g}: {policy.disagreement.then}"
    rule = policy.degenerate
    yield f"a side under {rule.min_side} pixels or contrast under {rule.min_contrast}: {rule.then}"


def _models(models: Mapping[str, Labels]) -> Table:
    table = Table(title="\nmodels", title_justify="left", title_style="bold")
    table.add_column("model")
    table.add_column("label")
    table.add_column("category")
    for model, labels in models.items():
        for position, (label, category) in enumerate(labels.items()):
            table.add_row(
                model if position == 0 else "",
                label,
                category or "harmless",
                end_section=position + 1 == len(labels),
            )
    return table
