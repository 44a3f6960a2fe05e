"""Who has installed nothing but the package itself can publish and read; the rest says what it needs."""

import subprocess
import sys

import pytest

from sluicegate_consumer.commands.endings import EXTRAS, ExitCode

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("arguments", ["'--help'", "'publish', '--help'", "'verdicts', '--help'", "'topics', '--help'"])
def test_what_serves_no_model_runs_without_any_extra(arguments):
    modules = sorted(set().union(*EXTRAS.values()))
    script = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({modules}))\n"  # None: to import it fails as if it were not there
        "from sluicegate_consumer.commands.app import app\n"
        f"app([{arguments}])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (0, "") == (result.returncode, result.stderr)


def test_a_service_without_its_extra_says_what_to_install():
    script = (
        "import sys\nsys.modules['numpy'] = None\nfrom sluicegate_consumer.commands.app import app\napp(['consume'])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ExitCode.CONFIGURATION == result.returncode
    assert "numpy is not installed: pip install 'sluicegate[consumer]'" in result.stderr
