"""The whole demonstration, top to bottom: prepare, upload, moderate, report."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from sluicegate_consumer.demo.broker import embedded_broker
from sluicegate_consumer.demo.plan import Plan, Wishes, prepare
from sluicegate_consumer.demo.progress import Progress
from sluicegate_consumer.demo.report import Illustrations, render
from sluicegate_consumer.demo.services import running
from sluicegate_consumer.demo.table import live_view, summary, table
from sluicegate_consumer.demo.thumbnails import thumbnails
from sluicegate_consumer.demo.uploads import create_all_topics, upload_all
from sluicegate_consumer.demo.watch import follow, until_final, until_ready
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

SERVICES = ("consume", "escalate")
LINES_AT_THE_END = 100
"""Of the table; the report has them all."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why not every upload has its final verdict."""

    text: str
    logs: str
    """The last lines of each service's log."""


async def demonstrate(wishes: Wishes, console: Console) -> bool:
    """Run it. Leaves `index.html`, `verdicts.jsonl` and the services' logs in the report's folder.

    Returns:
        Whether every upload has its final verdict. If not, the console says which have none, and why.

    Raises:
        ConfigurationError: the folder, the model or the installation is not usable.
    """
    with tempfile.TemporaryDirectory(prefix="sluicegate-demo-") as scratch:
        plan = await prepare(wishes, Path(scratch))
        for line in plan.remarks:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        wishes.report.mkdir(parents=True, exist_ok=True)
        progress = Progress(plan.submissions)
        with embedded_broker() as bootstrap_servers:
            kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
            await create_all_topics(kafka)
            complaint = await _moderate(plan, kafka, progress, wishes.report, console)
        pictures = await thumbnails(progress)
    page = wishes.report / "index.html"
    page.write_text(render(progress, plan.second_tier, Illustrations(pictures, plan.bands)), encoding="utf-8")
    _conclude(progress, page, complaint, console)
    return complaint is None


async def _moderate(
    plan: Plan, kafka: KafkaSettings, progress: Progress, report: Path, console: Console
) -> Complaint | None:
    variables = {"SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, **plan.variables}
    async with running(SERVICES, variables, report) as services:
        with console.status(f"starting {' and '.join(SERVICES)}"):
            text = await until_ready(services, plan.patience_s)
        if text is None:
            await upload_all(kafka, plan.submissions)
            with (report / "verdicts.jsonl").open("wb") as copy, Live(console=console, transient=True) as live:
                async with asyncio.TaskGroup() as tasks:
                    follower = tasks.create_task(follow(kafka, Topics().verdicts, progress, copy))
                    text = await until_final(
                        progress, services, plan.patience_s, lambda: live.update(live_view(progress, console.height))
                    )
                    follower.cancel()
    logs = "\n".join(f"--- {service.log}\n{service.tail()}" for service in services)
    return Complaint(text, logs) if text else None


def _conclude(progress: Progress, page: Path, complaint: Complaint | None, console: Console) -> None:
    console.print(table(progress, progress.submissions[:LINES_AT_THE_END]))
    console.print(summary(progress), highlight=False)
    if complaint:
        console.print(complaint.logs, style="dim", markup=False, highlight=False, soft_wrap=True)
        console.print(complaint.text, style="bold red", markup=False, highlight=False, soft_wrap=True)
    console.print(f"report: {page}", markup=False, highlight=False, soft_wrap=True)
