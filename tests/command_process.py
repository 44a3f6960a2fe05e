"""Commands as processes of their own, with no other settings than they are given."""

import json
import os
import subprocess

from service_process import PROGRAM
from sluicegate_consumer.operations.telemetry import SWITCHES


def environment(**settings: object) -> dict[str, str]:
    """Without the settings and the silence of the process that runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
    for name in (*SWITCHES, "HF_HUB_OFFLINE"):  # which a model that another test has loaded leaves behind
        inherited.pop(name, None)
    inherited.pop("CI", None)  # some libraries report nothing where it is set
    return inherited | {
        f"SLUICEGATE_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


def command(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=environment(**settings), capture_output=True, text=True, check=False, timeout=60
    )
