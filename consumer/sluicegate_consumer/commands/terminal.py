"""What the commands for people have in common: settings, and a log that keeps out of their output."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from rich.text import Text

from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.settings import Settings, load_settings
from sluicegate_consumer.operations.shutdown import EXIT_GRACE_S, end_within

Result = TypeVar("Result")


def terminal_settings() -> Settings:
    """The settings; the log goes to standard error, and is short unless debugging is asked for.

    Raises:
        ConfigurationError: see `load_settings`.
    """
    settings = load_settings()
    level = settings.observability.log_level
    quiet = settings.observability.model_copy(update={"log_level": "warning" if level == "info" else level})
    configure_logging(quiet, sys.stderr)
    return settings


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Like `asyncio.run`, but what is left of `work` when it has ended, such as a client's tasks, cannot hold it up."""
    call_off: Callable[[], None] = _nothing

    async def ended_in_time() -> Result:
        nonlocal call_off
        try:
            return await work
        finally:
            call_off = end_within(EXIT_GRACE_S, ExitCode.FAILED)

    try:
        return asyncio.run(ended_in_time())
    finally:
        call_off()


def _nothing() -> None:
    pass


def print_json_line(event: bytes) -> None:
    """Write one line of JSON to standard output, and let a reader behind a pipe have it now."""
    sys.stdout.buffer.write(event + b"\n")
    sys.stdout.buffer.flush()


def literal(text: str) -> Text:
    """Text from outside, as it is: neither Rich's markup nor a terminal's control sequences act in it."""
    return Text("".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text))


def utc(moment: datetime | int | None) -> str:
    """A time in UTC, to the second, for tables; an `int` is milliseconds since the epoch."""
    if moment is None:
        return ""
    if isinstance(moment, int):
        moment = datetime.fromtimestamp(moment / 1000, UTC)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
