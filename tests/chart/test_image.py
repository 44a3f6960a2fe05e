"""The image, as far as it can be judged without building one: the Dockerfile, and what its lock files hold."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rendering import CHART, ROOT, pods, render

LOCKS = {"cpu": "cpu", "cuda": "cuda"}
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+?)(?: ; (?P<marker>[^\\]+?))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_dockerfile_is_lint_clean():
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert hadolint, "hadolint is missing: pip install --group chart"
    ended = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (0, "") == (ended.returncode, ended.stdout + ended.stderr)


def stage(name: str) -> str:
    (found,) = (text for text in re.split(r"(?m)^FROM ", DOCKERFILE)[1:] if f" AS {name}\n" in text)
    return found


def test_the_final_stage_runs_as_a_number_and_installs_nothing(helm):
    final = stage("runtime")
    assert DOCKERFILE.rstrip().endswith(final.rstrip())
    (user,) = re.findall(r"(?m)^USER (\d+):(\d+)$", final)
    assert "0" not in user
    assert not re.search(r"apt-get|pip install|curl|wget|(?m:^ADD )", final)
    assert "pip uninstall --yes pip setuptools wheel" in final
    for pod in pods(render(helm, "minimal")):
        assert user == (str(pod.spec["securityContext"]["runAsUser"]), str(pod.spec["securityContext"]["runAsGroup"]))


def test_what_is_installed_is_pinned_by_hash():
    installs = re.findall(r"pip (?:--python \S+ )?install ([^&\n]*)", stage("build"))
    assert 3 == len(installs)
    assert all("--require-hashes" in each or ("--no-deps" in each and "--no-index" in each) for each in installs)


def test_the_builder_gets_no_more_than_the_image_is_made_of():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert "*" == lines[0]
    let_in = {line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")}
    copied = set(" ".join(re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", DOCKERFILE)).replace("/", "").split())
    assert copied == let_in


@cache
def lock(variant: str) -> dict[str, str]:
    """Name to version of what a lock file pins for this platform; each pin has a hash, and each line is understood."""
    pins = {}
    hashed = True
    for line in (ROOT / "locks" / f"{variant}.txt").read_text().splitlines():
        if match := PIN.match(line):
            assert hashed, f"no hash before {line}"
            if match["marker"] is None or Marker(match["marker"]).evaluate():
                pins[canonicalize_name(match["name"])] = match["version"]
            hashed = False
        elif HASH.match(line):
            hashed = True
        else:
            assert line.startswith(("# ", "--extra-index-url https://download.pytorch.org/whl/cpu")), line
    assert hashed
    return pins


def wanted(variant: str) -> list[Requirement]:
    """What pyproject.toml asks for, for the extras that the lock file says it is of."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    head = (ROOT / "locks" / f"{variant}.txt").read_text().splitlines()[0]
    extras = head.removeprefix("# extras: ").split()
    assert extras[0] == "consumer"
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("variant", LOCKS)
def test_a_lock_file_holds_all_that_the_project_asks_for(variant):
    pins = lock(variant)
    for requirement in wanted(variant):
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"locks/{variant}.txt lacks {requirement.name}: make locks"
        assert requirement.specifier.contains(version, prereleases=True), (requirement, version)


@pytest.mark.parametrize("variant", LOCKS)
def test_a_lock_file_holds_what_that_needs_in_turn(variant):
    pins = lock(variant)
    missing = []
    for name in pins:
        try:
            needs = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:  # CUDA's libraries are not installed here
            assert "cuda" == variant
            continue
        missing += [
            f"{name}: {need.name}"
            for need in needs
            if (need.marker is None or need.marker.evaluate({"extra": ""})) and canonicalize_name(need.name) not in pins
        ]
    assert [] == missing


@pytest.mark.parametrize("variant", LOCKS)
def test_images_hold_the_versions_that_the_tests_run_with(variant):
    constraints = {
        canonicalize_name(name): version
        for name, _, version in (
            line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
        )
    }
    differing = {
        name: version
        for name, version in lock(variant).items()
        if name in constraints and constraints[name] != version.removesuffix("+cpu")
    }
    assert {} == differing


def test_one_variant_brings_cuda_and_the_other_does_not():
    assert "2.13.0+cpu" == lock("cpu")["torch"]
    assert not [name for name in lock("cpu") if name.startswith("nvidia-")]
    assert [name for name in lock("cuda") if name.startswith("nvidia-")]


def test_a_bill_of_materials_names_every_package(tmp_path):
    bill = tmp_path / "sbom.json"
    cyclonedx = Path(sys.executable).with_name("cyclonedx-py")
    arguments = (
        "requirements",
        ROOT / "locks" / "cpu.txt",
        "--pyproject",
        ROOT / "pyproject.toml",
        "--no-validate",
        "-o",
        bill,
    )
    subprocess.run([cyclonedx, *arguments], check=True, capture_output=True)
    content = json.loads(bill.read_text())
    assert "sluicegate" == content["metadata"]["component"]["name"]
    listed = {canonicalize_name(each["name"]): each["version"] for each in content["components"]}
    assert lock("cpu").items() <= listed.items()


def test_chart_and_project_have_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (application,) = re.findall(r'(?m)^appVersion: "(.*)"$', (CHART / "Chart.yaml").read_text())
    assert project == application
