"""The built wheel in a clean environment: publishing needs no model runtime, and nothing else that is heavy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "numpy", "PIL", "onnxruntime", "ollama", "obstore", "httpx")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what it depends on, and nothing else."""
    plain = Path(sys.prefix) / "plain" / "bin" / "python"
    if not plain.exists():
        pytest.skip("no environment with the plain dependencies alone: `make test` makes one")
    directory = tmp_path_factory.mktemp("wheel")
    source = directory / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".*", "tests", "helm", "benchmarks", "demo-report", "node_modules")
    )
    options = ("--no-deps", "--no-index", "--no-build-isolation")
    run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", directory, source)
    (wheel,) = directory.glob("sluicegate-*.whl")
    run(plain, "-m", "pip", "install", "--no-deps", "--no-index", "--force-reinstall", wheel)
    return plain


def run(*command: object) -> str:
    ended = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert 0 == ended.returncode, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout


def test_publisher_and_schemas_import_without_anything_heavy(python: Path):
    program = f"""
import sys
import sluicegate_producer, sluicegate_schemas
from sluicegate_producer import About, UploadPublisher
print(sorted(set(sys.modules) & set({HEAVY!r})))
"""
    assert "[]\n" == run(python, "-c", program)
    installed = run(python, "-m", "pip", "list", "--format=freeze").lower()
    assert not [name for name in HEAVY if f"{name.lower()}==" in installed]


def test_the_command_line_is_there_and_says_which_extra_a_service_needs(python: Path):
    sluicegate = python.with_name("sluicegate")
    assert "publish" in run(sluicegate, "--help")
    ended = subprocess.run([sluicegate, "consume"], capture_output=True, text=True, check=False)
    assert (2, True) == (ended.returncode, "pip install 'sluicegate[consumer]'" in ended.stderr), ended.stderr


def test_the_wheel_carries_what_it_needs_beside_code(python: Path):
    program = """
from importlib.resources import files
for package, name in (
    ("sluicegate_consumer.policy", "default.yaml"),
    ("sluicegate_consumer.second_opinion", "prompt.txt"),
    ("sluicegate_consumer.demo", "page/report.html.j2"),
    ("sluicegate_schemas", "py.typed"),
    ("sluicegate_producer", "py.typed"),
    ("sluicegate_consumer", "py.typed"),
):
    assert files(package).joinpath(name).is_file(), (package, name)
"""
    run(python, "-c", program)
