"""`sluicegate consume` and `sluicegate escalate`: run a service until it is asked to end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import typer

from sluicegate_consumer.commands.endings import ExitCode, expected_errors
from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.settings import Settings, load_settings
from sluicegate_consumer.operations.shutdown import EXIT_GRACE_S, end_within

log = structlog.get_logger()

Service = Callable[[Settings], Coroutine[Any, Any, int | None]]


def consume() -> None:
    """Judge uploads with the first tier's model. SIGTERM or Ctrl+C drains; a second one ends at once."""
    from sluicegate_consumer.consume import consume as service  # noqa: PLC0415 - needs the extra `consumer`

    _run(service)


def escalate() -> None:
    """Ask the second tier about ambiguous images. SIGTERM or Ctrl+C drains; a second one ends at once."""
    from sluicegate_consumer.escalate import escalate as service  # noqa: PLC0415 - needs the extra `consumer`

    _run(service)


def _run(service: Service) -> None:
    settings = load_settings()
    configure_logging(settings.observability)
    try:
        status = asyncio.run(_serve(service, settings))
    except Exception as error:
        if expected_errors(error):
            raise
        raise typer.Exit(ExitCode.FAILED) from None
    raise typer.Exit(status or ExitCode.OK)


async def _serve(service: Service, settings: Settings) -> int | None:
    try:
        return await service(settings)
    except Exception as error:
        # A bug's traceback goes where the log goes, and through its redaction: it may quote what was being handled.
        log.critical("service_failed", exc_info=None if expected_errors(error) else error, error=error)
        raise
    finally:
        end_within(EXIT_GRACE_S, ExitCode.FAILED)
