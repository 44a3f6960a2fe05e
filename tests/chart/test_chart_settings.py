"""What containers are told is what the services understand, and what the services do is what the chart counts on."""

import json
import re

import pytest
import yaml
from rendering import CHART, component_of, of_kind, pods, render, the_pod, variables

from sluicegate_consumer.delivery.kafka_sink import HEADROOM_BYTES
from sluicegate_consumer.delivery.provision import topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings, Settings, load_settings
from sluicegate_consumer.operations.shutdown import EXIT_GRACE_S, SHUTDOWN_MARGIN_S
from sluicegate_consumer.policy.load import load_policy
from sluicegate_schemas.topics import Topics


@pytest.fixture
def settings_of(monkeypatch):
    """The settings of a container, as its service would load them."""

    def load(container, **secrets: str) -> Settings:
        with monkeypatch.context() as environment:
            for name, value in secrets.items():
                environment.setenv(name, value)
            for each in container["env"]:
                environment.setenv(each["name"], each.get("value", "from-a-secret"))
            return load_settings()

    return load


def test_every_variable_is_a_setting_and_every_value_is_valid(objects, settings_of):
    ours = [container for pod in pods(objects) for container in pod.containers if "ollama" not in container["image"]]
    assert len(ours) >= 3
    for container in ours:
        settings_of(container)


def test_a_variable_that_is_none_would_be_noticed(everything, settings_of):
    (container,) = the_pod(everything, "worker").containers
    container = container | {"env": [*container["env"], {"name": "SLUICEGATE_KAFKA__BOOTSTRAP", "value": "x"}]}
    with pytest.raises(Exception, match="BOOTSTRAP: no such setting"):
        settings_of(container)


def test_values_arrive_where_they_are_meant_to(everything, settings_of):
    consumer = settings_of(the_pod(everything, "consumer").containers[0])
    assert "broker-1.kafka.svc.cluster.local:9093,10.20.0.7:9094,[fd00::7]:9093" == consumer.kafka.bootstrap_servers
    assert ("SASL_SSL", "SCRAM-SHA-256") == (consumer.kafka.security_protocol, consumer.kafka.sasl_mechanism)
    assert ("from-a-secret", "/etc/sluicegate/kafka-tls/tls.key") == (
        consumer.kafka.sasl_username,
        str(consumer.kafka.tls_key_file),
    )
    assert (
        "s3://uploads/",
        "http://media/",
        "https://media.storage.svc/public/",
    ) == consumer.fetch.allowed_uri_prefixes
    assert {"aws_endpoint": "https://minio.storage.svc:9000", "aws_region": "us-east-1"} == consumer.fetch.store_options
    assert (50_000_000, 64) == (consumer.decode.max_pixels, consumer.fetch.concurrency)
    assert ("cuda", "/models") == (consumer.model.device, str(consumer.model.cache_dir))
    assert "Falconsai/nsfw_image_detection@04367978d3474804f2a28e9a8aac5e1b9d5d4b2d" == consumer.model.name
    assert "http://collector.observability.svc:4318/" == str(consumer.observability.otlp_endpoint)
    worker = settings_of(the_pod(everything, "worker").containers[0])
    assert ("qwen3.5", 2, 1) == (worker.ollama.model, len(worker.ollama.urls), worker.ollama.in_flight_per_server)
    assert "moderation-2" == worker.delivery.worker_group


def test_large_numbers_are_written_out(helm, settings_of):
    rendered = render(helm, "minimal", "--set", "settings.decode.memory_bytes=4294967296")
    (container,) = the_pod(rendered, "consumer").containers
    assert "4294967296" == variables(container)["SLUICEGATE_DECODE__MEMORY_BYTES"]
    assert 4 * 2**30 == settings_of(container).decode.memory_bytes


def test_a_service_is_told_nothing_that_is_none_of_its_business(everything):
    (consumer,) = the_pod(everything, "consumer").containers
    (worker,) = the_pod(everything, "worker").containers
    assert not [name for name in variables(consumer) if name.startswith("SLUICEGATE_OLLAMA")]
    assert not [name for name in variables(worker) if name.startswith(("SLUICEGATE_MODEL", "SLUICEGATE_BATCH"))]


def test_probes_ask_where_the_service_answers(objects, settings_of):
    for component in ("consumer", "worker"):
        (container,) = the_pod(objects, component).containers
        (port,) = container["ports"]
        watch = settings_of(container).observability
        assert ("0.0.0.0", port["containerPort"]) == (watch.endpoint_host, watch.endpoint_port)
        paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
        assert {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"} == paths


def test_the_grace_period_is_longer_than_draining_may_take(objects, settings_of):
    for component in ("consumer", "worker"):
        pod = the_pod(objects, component)
        drain = settings_of(pod.containers[0]).delivery.drain_timeout_s
        assert pod.spec["terminationGracePeriodSeconds"] > drain + SHUTDOWN_MARGIN_S + EXIT_GRACE_S


def test_the_bound_in_the_template_is_the_services_own():
    """The template cannot import it, and its default of the drain time is the settings' own, too."""
    template = (CHART / "templates" / "_settings.tpl").read_text()
    match = re.search(r"default (\d+) \$delivery\.drain_timeout_s\)\)\) (\d+) (\d+)", template)
    assert match
    drain = Settings.model_fields["delivery"].default.drain_timeout_s
    assert (drain, SHUTDOWN_MARGIN_S, EXIT_GRACE_S) == tuple(map(float, match.groups()))


def test_strimzi_makes_the_topics_that_the_services_would_make(helm):
    rendered = of_kind(render(helm, "gpu-production"), "KafkaTopic")
    plans = topic_plans(Topics(), KafkaSettings().max_record_bytes, partitions=24, replication=3)
    wanted = {plan.name: (plan.partitions, plan.replication, plan.configs) for plan in plans}
    assert wanted == {
        each["metadata"]["name"]: (
            each["spec"]["partitions"],
            each["spec"]["replicas"],
            {key: str(value) for key, value in each["spec"]["config"].items()},
        )
        for each in rendered
    }


def test_strimzi_topics_grow_with_the_records(helm):
    rendered = of_kind(
        render(helm, "gpu-production", "--set", "settings.kafka.max_record_bytes=20971520"), "KafkaTopic"
    )
    sizes = {each["spec"]["config"]["max.message.bytes"] for each in rendered}
    assert {20971520, 20971520 + HEADROOM_BYTES} == sizes


def test_keda_follows_the_groups_and_topics_of_the_services(everything, settings_of):
    for scaled in of_kind(everything, "ScaledObject"):
        component = component_of(scaled)
        settings = settings_of(the_pod(everything, component).containers[0])
        (trigger,) = scaled["spec"]["triggers"]
        followed = trigger["metadata"]["topic"], trigger["metadata"]["consumerGroup"]
        by_component = {
            "consumer": (settings.topics.uploads, settings.delivery.consumer_group),
            "worker": (settings.topics.escalations, settings.delivery.worker_group),
        }
        assert by_component[component] == followed


def test_the_policy_is_mounted_where_the_services_look(everything, settings_of, tmp_path):
    (config,) = (each for each in of_kind(everything, "ConfigMap") if component_of_or_none(each) == "policy")
    for component in ("consumer", "worker", "test"):
        pod = the_pod(everything, component)
        (mount,) = (each for each in pod.containers[0]["volumeMounts"] if each["name"] == "policy")
        (name,) = config["data"]
        assert f"{mount['mountPath']}/{name}" == str(settings_of(pod.containers[0]).policy_file)
    file = tmp_path / "policy.yaml"
    file.write_text(config["data"]["policy.yaml"])
    assert "2026-11-01" == load_policy(file).version


def test_the_test_asks_with_what_both_services_are_told(helm, settings_of):
    consumer, worker = ("consumer.settings.kafka.max_record_bytes=20000000", "worker.settings.ollama.timeout_s=77")
    objects = render(helm, "cpu-evaluation", "--set", consumer, "--set", worker)
    (container,) = the_pod(objects, "test").containers
    told = settings_of(container)
    assert (20000000, 77.0) == (told.kafka.max_record_bytes, told.ollama.timeout_s)


def component_of_or_none(each):
    return each["metadata"].get("labels", {}).get("app.kubernetes.io/component")


def test_the_job_pulls_and_then_shows_the_pinned_model(everything, settings_of):
    pull, show = the_pod(everything, "model-pull").containers
    revision = "04367978d3474804f2a28e9a8aac5e1b9d5d4b2d"
    assert ["model", "pull", "Falconsai/nsfw_image_detection", "--revision", revision] == pull["args"]
    assert ["model", "show"] == show["args"]
    shown, served = settings_of(show).model, settings_of(the_pod(everything, "consumer").containers[0]).model
    assert (served.name, served.digest, served.cache_dir) == (shown.name, shown.digest, shown.cache_dir)
    assert "cpu" == shown.device


def test_the_schema_names_every_value_and_no_other():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert {"enabled"} == schema["properties"].keys() - values.keys()
    schema["properties"].pop("enabled")
    compare(schema, values, "")


def compare(schema, values, key):
    if schema.get("additionalProperties") is not False or "properties" not in schema:
        return
    assert schema["properties"].keys() == values.keys(), key
    for name, below in schema["properties"].items():
        compare(below, values[name], f"{key}.{name}")
