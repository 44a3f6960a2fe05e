"""What the network policies let through, as an analyser of network policies understands them."""

import re
from ipaddress import ip_address, ip_network, summarize_address_range

import pytest
from connectivity import ANALYSER, connectivity_map, golden
from rendering import PROFILES, component_of, of_kind, render, the_pod

pytestmark = pytest.mark.skipif(not ANALYSER.exists(), reason="no network-config-analyzer: `make test` brings it")

RANGE = re.compile(r"^[0-9a-f.:]+(-[0-9a-f.:]+)?(,[0-9a-f.:/-]+)*$")
SEES_IMAGES = ("consumer", "worker", "ollama", "test")
MAPS: dict[str, str] = {}


@pytest.fixture
def lines(newest, profile):
    """The connectivity map, as triples: who, whom, on what."""
    if profile not in MAPS:
        MAPS[profile] = connectivity_map(newest)
    return [re.split(r" => | : ", line) for line in MAPS[profile].splitlines()]


def is_ours(name, component):
    return re.fullmatch(rf"moderation/images-(sluicegate|moderation)-{component}\[.*", name) is not None


def networks(name):
    """The addresses behind the name of an endpoint; none where it is a pod."""
    for part in name.split(",") if RANGE.match(name) else ():
        first, _, last = part.partition("-")
        if last:
            yield from summarize_address_range(ip_address(first), ip_address(last))
        else:
            yield ip_network(first)


@pytest.mark.usefixtures("lines")
def test_the_map_is_the_one_that_was_read_and_approved(profile):
    assert golden(profile).read_text() == MAPS[profile], "right? then: python tests/chart/connectivity.py"


def test_who_sees_images_has_no_way_out(lines):
    for who, whom, _ in lines:
        if any(is_ours(who, component) for component in SEES_IMAGES):
            assert not [each for each in networks(whom) if each.is_global or each.prefixlen == 0], (who, whom)


def test_ollama_only_answers(lines):
    assert [] == [whom for who, whom, _ in lines if is_ours(who, "ollama")]
    askers = {who for who, whom, _ in lines if is_ours(whom, "ollama")}
    assert all(is_ours(who, "worker") or is_ours(who, "test") for who in askers)


def test_the_worker_reaches_kafka_the_store_ollama_the_names_and_the_collector_alone(lines, profile):
    reached = {whom for who, whom, _ in lines if is_ours(who, "worker")}
    inside = {"kafka/broker[Pod]", "kube-system/coredns[Pod]"}
    pods = {whom for whom in reached if not list(networks(whom))}
    assert inside <= pods
    others = {"storage/store[Pod]", "ai/ollama[Pod]", "observability/collector[Pod]", "moderation/neighbour[Pod]"}
    assert all(whom in others or is_ours(whom, "ollama") for whom in pods - inside)
    if profile != "everything-on":  # names a store by a bare name, which may be any pod beside it
        assert "moderation/neighbour[Pod]" not in pods


def test_nobody_comes_in_but_to_read_metrics_and_to_ask_ollama(lines, profile):
    incoming = {(who, whom) for who, whom, _ in lines if "moderation/images-" in whom}
    for who, whom in incoming:
        reads_metrics = who == "monitoring/prometheus[Pod]" and (is_ours(whom, "consumer") or is_ours(whom, "worker"))
        assert reads_metrics or is_ours(whom, "ollama"), (who, whom)
    assert (profile in {"gpu-production", "everything-on"}) == any("prometheus" in who for who, _ in incoming)


def test_who_pulls_reaches_no_image(lines):
    for who, whom, _ in lines:
        if is_ours(who, "model-pull") or is_ours(who, "ollama-pull"):
            assert whom == "kube-system/coredns[Pod]" or list(networks(whom)), (who, whom)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_of_pod_has_a_policy_of_its_own(helm, profile):
    objects = render(helm, profile)
    policies = of_kind(objects, "NetworkPolicy")
    assert all(["Ingress", "Egress"] == each["spec"]["policyTypes"] for each in policies)
    kinds = {component_of(each) for each in policies} - {"network"}
    for component in kinds:
        the_pod(objects, component)
    made = {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in objects if is_workload(each)}
    assert made == kinds


def is_workload(each):
    return each["kind"] in {"Deployment", "StatefulSet", "Job", "Pod"}


@pytest.mark.parametrize(
    ("server", "peer"),
    [
        ("kafka", {"podSelector": {}}),
        ("b-0.kafka.svc", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kafka"}}}),
        ("b-0.brokers.kafka.svc", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kafka"}}}),
        ("b.kafka.svc.corp.internal", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kafka"}}}),
        ("192.168.7.8", {"ipBlock": {"cidr": "192.168.7.8/32"}}),
        ("[fd00::7]", {"ipBlock": {"cidr": "fd00::7/128"}}),
    ],
)
def test_where_a_broker_is_follows_from_its_name(helm, server, peer):
    objects = render(helm, "minimal", "--set", f"kafka.bootstrapServers[0]={server}:9095")
    (policy,) = (each for each in of_kind(objects, "NetworkPolicy") if component_of(each) == "consumer")
    assert [{"to": [peer], "ports": [{"protocol": "TCP", "port": 9095}]}] == policy["spec"]["egress"][1:]


def test_an_operators_own_peers_go_before_what_the_names_say(helm):
    own = "networkPolicy.kafka.to[0].namespaceSelector.matchLabels.purpose=brokers"
    objects = render(helm, "minimal", "--set", own, "--set", "networkPolicy.kafka.ports[0]=9192")
    (policy,) = (each for each in of_kind(objects, "NetworkPolicy") if component_of(each) == "consumer")
    (rule,) = policy["spec"]["egress"][1:]
    assert [{"namespaceSelector": {"matchLabels": {"purpose": "brokers"}}}] == rule["to"]
    assert {9092, 9192} == {port["port"] for port in rule["ports"]}


def test_a_store_outside_is_reached_where_the_operator_says_and_on_each_port_once(helm):
    values = (
        "objectStore.allowedUriPrefixes[0]=https://media.example.org/",
        "networkPolicy.objectStore.to[0].ipBlock.cidr=10.8.0.0/16",
        "networkPolicy.objectStore.ports={443,8443}",
    )
    objects = render(helm, "minimal", *(option for value in values for option in ("--set", value)))
    (policy,) = (each for each in of_kind(objects, "NetworkPolicy") if component_of(each) == "consumer")
    (rule,) = policy["spec"]["egress"][2:]
    assert [{"ipBlock": {"cidr": "10.8.0.0/16"}}] == rule["to"]
    assert [443, 8443] == [port["port"] for port in rule["ports"]]


def test_without_network_policies_there_are_none(helm):
    assert [] == of_kind(render(helm, "minimal", "--set", "networkPolicy.enabled=false"), "NetworkPolicy")
