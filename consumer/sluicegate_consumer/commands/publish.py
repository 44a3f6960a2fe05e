"""`sluicegate publish`: files, folders and URIs as uploads."""

import asyncio
import io
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.commands.terminal import print_json_line, run, terminal_settings
from sluicegate_consumer.delivery.kafka_client import client_options
from sluicegate_consumer.delivery.refusals import refused, shut_out
from sluicegate_consumer.errors import Transient
from sluicegate_consumer.operations.settings import Settings
from sluicegate_producer.bulk import Published, expand, publish_all
from sluicegate_producer.errors import NotConnected, PublishError
from sluicegate_producer.publisher import HEADROOM_BYTES, About, UploadPublisher

STANDARD_INPUT = "-"


@dataclass(slots=True)
class _Tally:
    """What the summary needs."""

    published: int = 0
    refused: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Uploads per second so far."""
        return self.published / max(time.monotonic() - self.began, 1e-9)


def publish(  # noqa: PLR0917 - Typer passes them by name
    items: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders (every file in them) and URIs; - or none: standard input."),
    ] = None,
    inline: Annotated[bool, typer.Option("--inline", help="Send the images themselves, not references.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose upload it is.")] = "default",
    policy: Annotated[str, typer.Option(help="The policy that decides.")] = "default",
    surface: Annotated[str, typer.Option(help="Where it will be seen: avatar, post, message, ...")] = "unspecified",
    rate: Annotated[float | None, typer.Option(min=0.001, help="Uploads per second at most.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each item.")] = False,
) -> None:
    """Publish images as uploads. What cannot be one is named, and the others go on; the exit code is then 1."""
    settings = terminal_settings()
    about = About(tenant=tenant, policy=policy, surface=surface)
    tally = run(_publish(settings, items or [STANDARD_INPUT], about, inline=inline, rate=rate, as_json=as_json))
    if tally.refused:
        raise typer.Exit(ExitCode.FAILED)


async def _publish(
    settings: Settings, items: list[str], about: About, *, inline: bool, rate: float | None, as_json: bool
) -> _Tally:
    tally = _Tally()
    console = Console(stderr=True)
    streamed = items == [STANDARD_INPUT]
    names = None if streamed else list(expand(items))
    with _progress(console) as progress:
        task = progress.add_task("publishing", total=None if names is None else len(names), rate="")

        def report(published: Published) -> None:
            _count(tally, published, progress.console)
            progress.update(task, completed=tally.published + tally.refused, rate=f"{tally.rate:,.0f}/s")
            if as_json:
                print_json_line(_line(published))

        async with _connected(settings) as publisher:
            source = _lines() if names is None else _each(iter(names))
            await publish_all(publisher, source, about, report, inline=inline, rate=rate)
    console.print(
        f"{tally.published} published, {tally.refused} refused, {tally.rate:,.0f}/s, to {settings.topics.uploads}",
        highlight=False,
    )
    return tally


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[UploadPublisher]:
    async with AsyncExitStack() as stack:
        try:
            publisher = await stack.enter_async_context(_publisher(settings))
        except NotConnected as error:
            why, kafka = error.__cause__, settings.kafka
            raise (
                refused(why, kafka, "Write", topic=settings.topics.uploads)
                or await shut_out(why, kafka)
                or Transient(str(error))
            ) from error
        yield publisher


def _publisher(settings: Settings) -> UploadPublisher:
    options = client_options(settings.kafka)
    servers = options.pop("bootstrap_servers")
    return UploadPublisher(
        servers,
        topic=settings.topics.uploads,
        source=settings.delivery.source,
        max_inline_bytes=min(settings.fetch.max_bytes, settings.kafka.max_record_bytes - HEADROOM_BYTES),
        kafka_options=options,
    )


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _count(tally: _Tally, published: Published, console: Console) -> None:
    if isinstance(published.result, PublishError):
        tally.refused += 1
        console.print(str(published.result), style="red", markup=False, highlight=False, soft_wrap=True)
    else:
        tally.published += 1


def _line(published: Published) -> bytes:
    # A file's name need not be UTF-8, which JSON must be.
    item = published.item.encode(errors="backslashreplace").decode()
    if isinstance(published.result, PublishError):
        return orjson.dumps({"item": item, "error": str(published.result)})
    receipt = published.result
    return orjson.dumps({"item": item, "upload_id": receipt.upload_id, "offset": receipt.offset})


async def _each(names: Iterator[str]) -> AsyncIterator[str]:
    for name in names:
        yield name


async def _lines() -> AsyncIterator[str]:
    """Standard input, a name to a line, as it comes."""
    if isinstance(sys.stdin, io.TextIOWrapper):  # what is no UTF-8 may be the name of a file all the same
        sys.stdin.reconfigure(errors="surrogateescape")
    while line := await asyncio.to_thread(sys.stdin.readline):
        for name in expand([line.strip()] if line.strip() else []):
            yield name
