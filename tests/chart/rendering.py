"""The chart as helm renders it, and what tests ask of the objects that come out."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "sluicegate"
PROFILES = ("minimal", "cpu-evaluation", "gpu-production", "everything-on")
RELEASE, NAMESPACE = "images", "moderation"

Object = dict[str, Any]


class RefusedError(Exception):
    """Helm does not render these values; the message is what it says."""


@cache
def render(helm: Path, profile: str, *options: str, chart: Path = CHART) -> tuple[Object, ...]:
    """The objects of one profile. Raises `RefusedError`."""
    values = () if profile == "" else ("--values", str(CHART / "ci" / f"{profile}.yaml"))
    command = [str(helm), "template", RELEASE, str(chart), "--namespace", NAMESPACE, *values, *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RefusedError(ended.stderr)
    return tuple(each for each in yaml.load_all(ended.stdout, yaml.CSafeLoader) if each)


def of_kind(objects: tuple[Object, ...], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def component_of(labelled: Object) -> str:
    return str(labelled["metadata"]["labels"].get("app.kubernetes.io/component"))


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of one."""

    owner: Object
    labels: dict[str, str]
    spec: Object

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def pods(objects: tuple[Object, ...]) -> Iterator[Pod]:
    """Every pod that the objects make."""
    for each in objects:
        if each["kind"] == "Pod":
            yield Pod(each, each["metadata"]["labels"], each["spec"])
        elif each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            template = each["spec"]["template"]
            yield Pod(each, template["metadata"]["labels"], template["spec"])


def the_pod(objects: tuple[Object, ...], component: str) -> Pod:
    (pod,) = (pod for pod in pods(objects) if pod.component == component)
    return pod


def variables(container: Object) -> dict[str, str]:
    """What the container's own values say, without what comes from secrets."""
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}
