"""Every pod meets the Pod Security Standard `restricted`, and holds no more than it needs."""

from rendering import pods, render, the_pod

SECRETS_OF_THE_STORE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
VOLUMES = {"emptyDir", "secret", "configMap", "persistentVolumeClaim"}


def test_pods_are_restricted(objects):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, each line of it."""
    for pod in pods(objects):
        security = pod.spec["securityContext"]
        assert (True, {"type": "RuntimeDefault"}) == (security["runAsNonRoot"], security["seccompProfile"])
        assert security["runAsUser"] > 0
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys()
        for volume in pod.spec["volumes"]:
            assert VOLUMES & volume.keys(), volume
        for container in pod.containers:
            own = container["securityContext"]
            assert (False, True) == (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"])
            assert {"drop": ["ALL"]} == own["capabilities"]
            assert not {"privileged", "runAsUser", "procMount", "seccompProfile"} & own.keys()
            assert not [port for port in container.get("ports", ()) if "hostPort" in port]


def test_nobody_speaks_to_the_api_server(objects):
    assert [pod.component for pod in pods(objects) if pod.spec["automountServiceAccountToken"]] == []
    accounts = [each for each in objects if each["kind"] == "ServiceAccount"]
    assert [False, False] == [each["automountServiceAccountToken"] for each in accounts]


def test_an_identity_that_may_read_images_is_only_of_the_pods_that_fetch_them(helm):
    role = ("--set", "serviceAccount.annotations.role=reads-images")
    objects = render(helm, "everything-on", *role)
    with_role = {
        each["metadata"]["name"]
        for each in objects
        if each["kind"] == "ServiceAccount" and "role" in each["metadata"].get("annotations", {})
    }
    accounts = {pod.component: pod.spec["serviceAccountName"] for pod in pods(objects)}
    assert {"model-pull", "ollama-pull", "ollama", "topics"} < accounts.keys()
    assert {"consumer", "worker", "test"} == {name for name, account in accounts.items() if account in with_role}

    own = ("--set", "serviceAccount.create=false", "--set", "serviceAccount.name=own")
    assert {"own"} == {pod.spec["serviceAccountName"] for pod in pods(render(helm, "everything-on", *own))}


def test_every_container_can_write_to_tmp(objects):
    for pod in pods(objects):
        empty = {volume["name"] for volume in pod.spec["volumes"] if "emptyDir" in volume}
        for container in pod.containers:
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in empty}


def test_who_sees_images_cannot_change_a_model(everything):
    for component in ("consumer", "worker", "ollama", "test"):
        pod = the_pod(everything, component)
        claims = {volume["name"] for volume in pod.spec["volumes"] if "persistentVolumeClaim" in volume}
        for container in pod.containers:
            mounts = [mount for mount in container["volumeMounts"] if mount["name"] in claims]
            assert all(mount["readOnly"] for mount in mounts), component


def test_who_pulls_a_model_has_no_credentials_of_kafka_or_the_store(everything):
    for component in ("model-pull", "ollama-pull"):
        pod = the_pod(everything, component)
        secrets = {volume["name"] for volume in pod.spec["volumes"] if "secret" in volume}
        names = {variable["name"] for container in pod.containers for variable in container["env"]}
        assert not secrets
        assert not names & SECRETS_OF_THE_STORE
        assert not [name for name in names if name.startswith("SLUICEGATE_KAFKA")]


def test_ollama_knows_no_cloud_stays_loaded_and_answers_one_at_a_time(everything):
    for component in ("ollama", "ollama-pull"):
        (container,) = the_pod(everything, component).containers
        settings = {each["name"]: each["value"] for each in container["env"]}
        assert "1" == settings["OLLAMA_NO_CLOUD"]
    (server,) = the_pod(everything, "ollama").containers
    settings = {each["name"]: each["value"] for each in server["env"]}
    assert ("-1", "1") == (settings["OLLAMA_KEEP_ALIVE"], settings["OLLAMA_NUM_PARALLEL"])
    (puller,) = the_pod(everything, "ollama-pull").containers
    assert "127.0.0.1:11434" == {each["name"]: each["value"] for each in puller["env"]}["OLLAMA_HOST"]
