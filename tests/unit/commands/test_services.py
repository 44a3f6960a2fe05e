"""How a service's end reaches who started it."""

import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog
import typer
from typer.testing import CliRunner

from sluicegate_consumer.commands import services
from sluicegate_consumer.commands.endings import Ending
from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.operations.settings import Settings


@pytest.fixture(autouse=True)
def no_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would end the process that the tests run in."""
    monkeypatch.setattr(services, "end_within", lambda *_: None)


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def ending_of(service: services.Service):
    app = typer.Typer(cls=Ending, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    app.command("run")(lambda: services._run(service))
    return CliRunner().invoke(app, ["run"])


@pytest.mark.parametrize(("status", "code"), [(None, 0), (0, 0), (1, 1)])
def test_what_a_service_returns_is_the_exit_code(status, code):
    async def service(_: Settings) -> int | None:
        return status

    assert code == ending_of(service).exit_code


def test_an_expected_end_is_in_the_log_and_on_standard_error():
    async def service(_: Settings) -> None:
        raise Fatal("the device is hung")

    result = ending_of(service)
    assert (1, "sluicegate: the device is hung\n") == (result.exit_code, result.stderr)
    line = orjson.loads(result.stdout)
    assert ("service_failed", "Fatal: the device is hung") == (line["event"], line["error"])


def test_a_bug_is_logged_with_its_traceback_and_without_what_it_quotes():
    async def service(_: Settings) -> None:
        raise ValueError(f"cannot read {b'a photograph'!r}")

    result = ending_of(service)
    assert (1, "") == (result.exit_code, result.stderr)
    assert "ValueError: cannot read <bytes>" in orjson.loads(result.stdout)["exception"]
    assert "photograph" not in result.stdout
