"""A command that cannot do its work says why in one message and with a documented exit code."""

import pytest
import typer
from typer.testing import CliRunner

from sluicegate_consumer.commands.app import COMMANDS, app
from sluicegate_consumer.commands.endings import Ending, ExitCode
from sluicegate_consumer.errors import ConfigurationError, Fatal, Transient

run = CliRunner().invoke


def ending_with(error: Exception) -> typer.Typer:
    failing = typer.Typer(cls=Ending, pretty_exceptions_enable=False)

    @failing.callback()
    def _callback() -> None:
        pass

    @failing.command()
    def fail() -> None:
        raise error

    return failing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("kafka.tls_ca_file: no such file"), ExitCode.CONFIGURATION),
        (Transient("Kafka at host:9092: no answer"), ExitCode.FAILED),
        (Fatal("stopped"), ExitCode.FAILED),
        (ExceptionGroup("", [ExceptionGroup("", [Fatal("stopped")])]), ExitCode.FAILED),
        (ExceptionGroup("", [ConfigurationError("stopped")]), ExitCode.CONFIGURATION),
    ],
)
def test_an_expected_error_is_one_message_and_an_exit_code(error, code):
    result = run(ending_with(error), ["fail"])
    message = "stopped" if isinstance(error, ExceptionGroup) else str(error)
    assert (code, f"sluicegate: {message}\n", "") == (result.exit_code, result.stderr, result.stdout)


@pytest.mark.parametrize(("module", "extra"), [("numpy.linalg", "consumer"), ("transformers", "torch")])
def test_a_module_that_an_extra_brings_is_named_with_the_command_that_installs_it(module, extra):
    result = run(ending_with(ModuleNotFoundError(name=module)), ["fail"])
    assert ExitCode.CONFIGURATION == result.exit_code
    assert f"pip install 'sluicegate[{extra}]'" in result.stderr


@pytest.mark.parametrize(
    "bug",
    [
        ValueError("bug"),
        ModuleNotFoundError(name="sluicegate_consumer.gone"),
        ExceptionGroup("", [Fatal("stopped"), ValueError("bug")]),
    ],
)
def test_a_bug_keeps_its_traceback(bug):
    result = run(ending_with(bug), ["fail"])
    assert bug is result.exception


def test_the_overview_lists_every_command():
    result = run(app, ["--help"])
    assert 0 == result.exit_code
    assert list(COMMANDS) == [name for name in COMMANDS if name in result.stdout]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_overview_exists(name):
    result = run(app, [name, "--help"])
    assert (0, None) == (result.exit_code, result.exception)


def test_a_misspelt_command_is_a_usage_error_that_names_its_neighbour():
    result = run(app, ["topcs"])
    assert ExitCode.CONFIGURATION == result.exit_code
    assert "Did you mean 'topics'?" in result.stderr
