"""What the commands for people have in common: settings, and a log that keeps out of their output."""

import sys
from datetime import UTC, datetime

from rich.text import Text

from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.settings import Settings, load_settings


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
