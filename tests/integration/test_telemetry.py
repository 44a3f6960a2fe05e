"""No library reports to its maker, in a process of its own as in the one that runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_process import environment
from sluicegate_consumer.operations.telemetry import BANISHED, SWITCHES

pytestmark = pytest.mark.integration

LIBRARIES = """
import os, sys
from sluicegate_consumer.operations.telemetry import SWITCHES, silence
assert not SWITCHES.keys() & os.environ.keys()
silence()
from huggingface_hub import constants
assert constants.HF_HUB_DISABLE_TELEMETRY
try:
    import openvino_telemetry
except ImportError:
    pass
else:
    raise AssertionError
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.operations.settings import ModelSettings
load_classifier(ModelSettings(name="embedded"), max_batch=1)
"""


def test_no_library_prepares_a_report_once_all_are_silenced(tmp_path: Path):
    """ONNX Runtime would leave an identifier of the device in the home directory, before anything is sent."""
    result = subprocess.run(
        [sys.executable, "-c", LIBRARIES],
        env=environment() | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 0 == result.returncode, result.stderr
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_tests_themselves_are_silent():
    assert SWITCHES.items() <= os.environ.items()
    assert all(sys.modules[name] is None for name in BANISHED)
