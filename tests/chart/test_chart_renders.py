"""Helm itself accepts the chart: lint, package, both versions alike, and inside another chart."""

import shutil
import subprocess

import pytest
import yaml
from helm_binaries import SOURCES, find_helm
from rendering import CHART, PROFILES, RefusedError, component_of, of_kind, pods, render, the_pod


def run(*command: object) -> str:
    ended = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    return ended.stdout


def test_lint_has_nothing_to_say(helm, profile):
    said = run(helm, "lint", "--strict", CHART, "--values", CHART / "ci" / f"{profile}.yaml")
    assert "1 chart(s) linted, 0 chart(s) failed" in said


def test_the_package_renders_as_the_folder_does(helm, tmp_path):
    run(helm, "package", CHART, "--destination", tmp_path)
    (package,) = tmp_path.glob("sluicegate-*.tgz")
    assert render(helm, "everything-on") == render(helm, "everything-on", chart=package)


@pytest.mark.parametrize("profile", PROFILES)
def test_both_versions_render_the_same(profile):
    found = [find_helm(major) for major in SOURCES]
    if None in found:
        pytest.skip("needs helm 3 and helm 4: `make test` brings both")
    first, second = ({identity(each): each for each in render(helm, profile)} for helm in found)
    assert first == second


def identity(each):
    return each["kind"], each["metadata"]["name"]


def test_no_two_objects_have_one_name(objects):
    names = [identity(each) for each in objects]
    assert len(names) == len(set(names))


@pytest.fixture
def umbrella(tmp_path):
    """A chart that has ours among its dependencies, and the values that it passes on."""
    values = yaml.safe_load((CHART / "ci" / "minimal.yaml").read_text())
    chart = {
        "apiVersion": "v2",
        "name": "platform",
        "version": "1.0.0",
        "dependencies": [{"name": "sluicegate", "version": "0.1.0", "condition": "sluicegate.enabled"}],
    }
    shutil.copytree(CHART, tmp_path / "charts" / "sluicegate")
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(chart))
    shared = {"imageRegistry": "registry.internal", "imagePullSecrets": [{"name": "pull"}], "domain": "example.org"}
    content = {"global": shared, "sluicegate": {"enabled": True, **values}}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def test_it_may_be_part_of_another_chart(helm, umbrella):
    objects = render(helm, "", chart=umbrella)
    consumer = the_pod(objects, "consumer")
    assert "registry.internal/sluicegate:0.1.0-cpu" == consumer.spec["containers"][0]["image"]
    assert [{"name": "pull"}] == consumer.spec["imagePullSecrets"]
    assert len(render(helm, "minimal")) == len(objects)


def test_another_chart_may_leave_it_out(helm, umbrella):
    assert () == render(helm, "", "--set", "sluicegate.enabled=false", chart=umbrella)


def test_an_unknown_value_is_refused(helm):
    with pytest.raises(RefusedError, match="replicaCuont"):
        render(helm, "minimal", "--set", "consumer.replicaCuont=2")


def test_a_tag_that_became_a_number_is_refused(helm):
    with pytest.raises(RefusedError, match="tag"):
        render(helm, "minimal", "--set", "image.tag=2")
    (container,) = the_pod(render(helm, "minimal", "--set-string", "image.tag=2"), "worker").containers
    assert "sluicegate:2-cpu" == container["image"]


def test_replicas_are_left_to_whoever_scales(helm):
    scaled = of_kind(render(helm, "gpu-production"), "Deployment")
    fixed = of_kind(render(helm, "minimal"), "Deployment")
    assert [False, False] == ["replicas" in each["spec"] for each in scaled]
    assert [1, 1] == [each["spec"]["replicas"] for each in fixed]


def test_a_changed_policy_restarts_both_services_and_nothing_else_does(helm):
    def annotations(*options):
        deployments = of_kind(render(helm, "minimal", *options), "Deployment")
        return [each["spec"]["template"]["metadata"] for each in deployments]

    one = annotations("--set", "policy.document=version: one")
    two = annotations("--set", "policy.document=version: two")
    assert 2 == len(one)
    assert not [each for each in one if each in two]
    assert one == annotations("--set", "policy.document=version: one", "--set", "metrics.podMonitor.enabled=true")


def test_a_job_that_does_something_else_has_another_name(helm):
    def name(*options):
        (job,) = (each for each in of_kind(render(helm, "cpu-evaluation", *options), "Job") if is_topics(each))
        return job["metadata"]["name"]

    def is_topics(job):
        return component_of(job) == "topics"

    assert name() == name("--set", "consumer.replicaCount=1")
    assert name() != name("--set", "kafka.topics.partitions=5")
    # Of a Job's pods nothing can be changed, labels and annotations no more than the rest.
    for value in ("podAnnotations.a=b", "podLabels.a=b", "commonLabels.a=b"):
        assert name() != name("--set", value)


def test_the_longest_names_fit(helm):
    long = "a-release-whose-name-is-as-long-as-helm-allows-it-to"
    objects = render(helm, "everything-on", "--set", f"fullnameOverride={long}")
    assert max(len(each["metadata"]["name"]) for each in objects) <= 63
    assert all(pod.owner["metadata"]["name"].startswith("a-release") for pod in pods(objects))
