"""What no schema sees: that the parts of the chart fit each other."""

import re
from itertools import chain

import pytest
from rendering import Object, of_kind, pods, render, the_pod

UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: object) -> float:
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(text))
    assert match, text
    return float(match[1]) * UNITS[match[2]]


def matches(selector: Object, labels: dict[str, str]) -> bool:
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "In"
        if labels.get(each["key"]) not in each["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def test_controllers_select_their_own_pods_and_no_others(objects):
    everybody = list(pods(objects))
    controllers = of_kind(objects, "Deployment") + of_kind(objects, "StatefulSet")
    for controller in controllers:
        selected = [pod for pod in everybody if matches(controller["spec"]["selector"], pod.labels)]
        assert [controller["metadata"]["name"]] == [pod.owner["metadata"]["name"] for pod in selected]


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "NetworkPolicy"])
def test_whatever_selects_pods_selects_some(objects, kind):
    everybody = list(pods(objects))
    for each in of_kind(objects, kind):
        spec = each["spec"]
        selector = {"Service": {"matchLabels": spec.get("selector")}, "NetworkPolicy": spec.get("podSelector")}.get(
            kind, spec.get("selector")
        )
        assert [pod for pod in everybody if matches(selector, pod.labels)], each["metadata"]["name"]


def test_monitors_find_what_they_scrape(helm):
    services = render(helm, "everything-on")
    (monitor,) = of_kind(services, "ServiceMonitor")
    found = [each for each in of_kind(services, "Service") if matches(monitor["spec"]["selector"], labels(each))]
    assert ["consumer", "worker"] == sorted(labels(each)["app.kubernetes.io/component"] for each in found)
    assert {"metrics"} == {port["name"] for each in found for port in each["spec"]["ports"]}

    scraped = render(helm, "gpu-production")
    (monitor,) = of_kind(scraped, "PodMonitor")
    chosen = [pod for pod in pods(scraped) if matches(monitor["spec"]["selector"], pod.labels)]
    assert ["consumer", "worker"] == sorted(pod.component for pod in chosen)
    assert all("metrics" in port_names(pod) for pod in chosen)


def labels(each: Object) -> dict[str, str]:
    found: dict[str, str] = each["metadata"]["labels"]
    return found


def port_names(pod) -> set[str]:
    return {port["name"] for container in pod.containers for port in container.get("ports", ())}


def test_ports_that_are_named_exist(objects):
    for pod in pods(objects):
        for container in pod.containers:
            own = {port["name"] for port in container.get("ports", ())}
            assert all(len(name) <= 15 for name in own)
            probes = (container.get(f"{kind}Probe", {}) for kind in ("startup", "liveness", "readiness"))
            assert {probe["httpGet"]["port"] for probe in probes if "httpGet" in probe} <= own
    for service in of_kind(objects, "Service"):
        chosen = [pod for pod in pods(objects) if matches({"matchLabels": service["spec"]["selector"]}, pod.labels)]
        assert all(port["targetPort"] in port_names(pod) for pod in chosen for port in service["spec"]["ports"])
    for policy in of_kind(objects, "NetworkPolicy"):
        chosen = [pod for pod in pods(objects) if matches(policy["spec"]["podSelector"], pod.labels)]
        rules = policy["spec"].get("ingress", ())
        assert all(port["port"] in port_names(pod) for rule in rules for port in rule["ports"] for pod in chosen)


def test_requests_are_no_more_than_limits(objects):
    for pod in pods(objects):
        for container in pod.containers:
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            for name, asked in requests.items():
                assert quantity(asked) <= quantity(limits[name]), (pod.component, name)


def test_what_is_mounted_exists_and_what_exists_is_mounted(objects):
    for pod in pods(objects):
        volumes = [volume["name"] for volume in pod.spec["volumes"]]
        mounts = {mount["name"] for container in pod.containers for mount in container["volumeMounts"]}
        assert len(volumes) == len(set(volumes))
        assert set(volumes) == mounts, pod.component
        for container in pod.containers:
            paths = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert len(paths) == len(set(paths))


def test_no_variable_is_set_twice(objects):
    for container in chain.from_iterable(pod.containers for pod in pods(objects)):
        names = [variable["name"] for variable in container["env"]]
        assert sorted(set(names)) == sorted(names)


def test_what_the_release_refers_to_is_in_it_or_named_by_the_operator(everything):
    made = {(each["kind"], each["metadata"]["name"]) for each in everything}
    for pod in pods(everything):
        assert ("ServiceAccount", pod.spec["serviceAccountName"]) in made
        for volume in pod.spec["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in made or claim["claimName"] == "uploads"
            if config := volume.get("configMap"):
                assert ("ConfigMap", config["name"]) in made
    for scaled in of_kind(everything, "ScaledObject"):
        assert ("Deployment", scaled["spec"]["scaleTargetRef"]["name"]) in made
        (trigger,) = scaled["spec"]["triggers"]
        assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in made


def test_each_ollama_server_has_an_address_of_its_own(everything):
    (container,) = the_pod(everything, "worker").containers
    (servers,) = of_kind(everything, "StatefulSet")
    service = servers["spec"]["serviceName"]
    assert service in {each["metadata"]["name"] for each in of_kind(everything, "Service")}
    (urls,) = (each["value"] for each in container["env"] if each["name"] == "SLUICEGATE_OLLAMA__URLS")
    name = servers["metadata"]["name"]
    for index in range(servers["spec"]["replicas"]):
        assert f'"http://{name}-{index}.{service}.moderation.svc:11434"' in urls
    assert servers["spec"]["replicas"] == urls.count("http://")


def test_a_volume_for_one_node_brings_its_job_to_that_node(helm):
    near = {
        pod.component: pod.spec["affinity"] for pod in pods(render(helm, "cpu-evaluation")) if "affinity" in pod.spec
    }
    assert {"model-pull", "ollama-pull", "test"} == near.keys()
    wanted = {"model-pull": "consumer", "ollama-pull": "ollama", "test": "consumer"}
    for component, affinity in near.items():
        (term,) = affinity["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert wanted[component] == term["labelSelector"]["matchLabels"]["app.kubernetes.io/component"]


def test_topics_outlive_the_release(helm):
    topics = of_kind(render(helm, "gpu-production"), "KafkaTopic")
    assert 5 == len(topics)
    assert {"keep"} == {each["metadata"]["annotations"]["helm.sh/resource-policy"] for each in topics}
