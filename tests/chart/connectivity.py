"""Who can reach whom, computed from rendered network policies by network-config-analyzer, as lines of text.

`python tests/chart/connectivity.py` writes the maps that the tests compare with: read what changed before you keep it.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from helm_binaries import SOURCES, find_helm
from rendering import NAMESPACE, PROFILES, RELEASE, Object, render

HERE = Path(__file__).parent
ANALYSER = Path(sys.prefix) / "nca" / "bin" / "nca"
"""In an environment of its own, which `make test` makes: its pins contradict everybody else's."""
SURROUNDINGS = HERE / "surroundings.yaml"
KINDS = {"Deployment", "StatefulSet", "Job", "Pod", "NetworkPolicy"}
OURS = f"{NAMESPACE}/{RELEASE}-"
JOB_HASH = re.compile(r"-[0-9a-f]{8}\[Job\]")


def golden(profile: str) -> Path:
    return HERE / "golden" / f"{profile}.txt"


def connectivity_map(objects: tuple[Object, ...]) -> str:
    """A line for each connection that one of our pods may open or receive: `who => whom : on what`, sorted."""
    placed = [
        {**each, "metadata": {**each["metadata"], "namespace": NAMESPACE}} for each in objects if each["kind"] in KINDS
    ]
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "cluster.yaml"
        file.write_text(f"{SURROUNDINGS.read_text()}---\n{yaml.safe_dump_all(placed)}")
        options = ("--output_format", "txt_no_fw_rules", "--output_endpoints", "deployments", "--print_ipv6")
        command = [str(ANALYSER), "--connectivity", "--resource_list", str(file), *options]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [JOB_HASH.sub("[Job]", line) for line in ended.stdout.splitlines() if " => " in line]
    if not lines:
        raise AssertionError(f"no map: {ended.stdout}{ended.stderr}")
    return "".join(f"{line}\n" for line in sorted(set(lines)) if OURS in line)


if __name__ == "__main__":
    newest = find_helm(max(SOURCES))
    assert newest is not None, "no helm: `make test` brings it"
    for name in PROFILES:
        golden(name).write_text(connectivity_map(render(newest, name)))
