"""One stream of log events: ours and the libraries', as JSON or for a terminal, nothing private in them."""

import logging
import sys
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from sluicegate_consumer.operations.redaction import redact
from sluicegate_consumer.operations.settings import ObservabilitySettings

QUIETEST = {
    "aiokafka": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.INFO,
}
"""Below these levels a library never speaks, whatever the setting: aiokafka's debug lines are whole requests,
with the images that they carry, and httpx writes a line for every request."""


def configure_logging(settings: ObservabilitySettings, stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream`: standard output where none is given.

    A command whose output is data gives standard error.
    """
    stream = sys.stdout if stream is None else stream
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    pretty = settings.log_format == "pretty" or (settings.log_format == "auto" and stream.isatty())
    structlog.configure(
        processors=_processors(stream, pretty),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level, handlers=[_ToStructlog()], force=True)
    logging.captureWarnings(capture=True)
    for name, quietest in QUIETEST.items():
        logging.getLogger(name).setLevel(max(level, quietest))


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that lets nothing private pass: see `redaction`."""
    return {key: redact(value, key) for key, value in event.items()}


def _processors(stream: TextIO, pretty: bool) -> list[Processor]:
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if pretty
        else structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event).decode())
    )
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # before the redaction: a traceback quotes values too
        redact_event,
        render,
    ]


class _ToStructlog(logging.Handler):
    """Hands a record of the standard library's logging to the same processors."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = structlog.get_logger().bind(logger=record.name)
            log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - as logging itself does: a line that cannot be written ends nothing
            self.handleError(record)
