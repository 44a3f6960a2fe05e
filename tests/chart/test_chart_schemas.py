"""Every object is what its own schema says, of Kubernetes in four minor versions and of the operators' resources."""

import kubernetes_validate
import pytest
from cloudcoil.models.keda.v1alpha1 import ScaledObject, TriggerAuthentication
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor
from jsonschema import Draft202012Validator
from rendering import CHART, Object, of_kind, render

VERSIONS = ("1.27", "1.31", "1.34", "1.37")
"""The oldest that Chart.yaml admits, the newest, and two between."""
MODELS = {
    model.__name__: model for model in (ScaledObject, TriggerAuthentication, ServiceMonitor, PodMonitor, PrometheusRule)
}
KAFKA_TOPIC = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "kafka.strimzi.io/v1"},
        "metadata": {
            "properties": {
                "name": {"pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
                "labels": {"type": "object", "required": ["strimzi.io/cluster"]},
            },
        },
        "spec": {
            "additionalProperties": False,
            "properties": {
                "topicName": {"type": "string"},
                "partitions": {"type": "integer", "minimum": 1},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 32767},
                "config": {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}},
            },
        },
    },
}
"""Of Strimzi 1.0's CustomResourceDefinition, what a topic may hold."""


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(newest, version):
    kinds = MODELS.keys() | {"KafkaTopic"}
    core = [each for each in newest if each["kind"] not in kinds]
    assert len(core) > 5
    for each in core:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_misspelt_field_would_be_noticed(everything):
    (broken, *_) = (dict(each) for each in of_kind(everything, "Deployment"))
    broken["spec"] = broken["spec"] | {"minReadySecond": 5}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_operators_know_every_field(objects):
    for each in objects:
        if model := MODELS.get(each["kind"]):
            # These models drop what they do not know: what comes back must be what went in.
            assert each == model.model_validate(each).model_dump(by_alias=True, exclude_unset=True, mode="json")
        if each["kind"] == "KafkaTopic":
            Draft202012Validator(KAFKA_TOPIC).validate(each)


@pytest.mark.parametrize("kind", [*MODELS, "KafkaTopic"])
def test_every_kind_of_theirs_is_rendered_by_some_profile(helm, kind):
    rendered: list[Object] = [
        *of_kind(render(helm, "everything-on"), kind),
        *of_kind(render(helm, "gpu-production"), kind),
    ]
    if kind == "PrometheusRule" and not (CHART / "files" / "alerts.yaml").is_file():
        pytest.skip("no alerts are written")
    assert rendered
