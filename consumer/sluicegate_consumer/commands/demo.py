"""`sluicegate demo`: see it work on a folder of photographs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.commands.terminal import run
from sluicegate_consumer.models.find import EMBEDDED


def demo(
    images: Annotated[
        Path | None, typer.Option(help="Folder; every file in it is uploaded. A few photographs if not given.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Directory or Hugging Face id of a checkpoint on this disk, or the embedded one.")
    ] = EMBEDDED,
    ollama: Annotated[str, typer.Option(help="Server that is asked about ambiguous images, if it is there.")] = (
        "http://localhost:11434"
    ),
    report: Annotated[Path, typer.Option(help="Folder that the report is left in.")] = Path("demo-report"),
) -> None:
    """Publish a folder of images to a broker of its own, run both services, and show what they decide.

    Leaves a contact sheet in demo-report/index.html and every verdict event in demo-report/verdicts.jsonl.
    """
    from sluicegate_consumer.demo.plan import Wishes  # noqa: PLC0415 - needs the extras `consumer` and `embedded`
    from sluicegate_consumer.demo.run import demonstrate  # noqa: PLC0415 - same

    wishes = Wishes(images=images, model=model, ollama=ollama, report=report)
    if not run(demonstrate(wishes, Console())):
        raise typer.Exit(ExitCode.FAILED)
