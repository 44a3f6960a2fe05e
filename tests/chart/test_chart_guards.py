"""Values that would install and then not work are refused, by a sentence that says what would be right."""

import pytest
from rendering import RefusedError, render

PUBLIC = "networkPolicy.%s.to[0].ipBlock.cidr=%s"

REFUSED = [
    ([], "", "kafka.bootstrapServers: names no broker"),
    (["kafka.bootstrapServers[0]=kafka.kafka.svc"], "minimal", '"kafka.kafka.svc" has no port'),
    (
        ["kafka.securityProtocol=SASL_SSL"],
        "minimal",
        "kafka.sasl.existingSecret: kafka.securityProtocol SASL_SSL needs",
    ),
    (["kafka.tls.existingSecret=ca"], "minimal", "PLAINTEXT does not encrypt"),
    (["kafka.tls.certificateKey=tls.crt"], "minimal", "certificateKey and privateKeyKey belong together"),
    (["kafka.topicProvisioning=strimzi"], "minimal", "needs the name of the Kafka resource"),
    (
        ["consumer.autoscaling.enabled=true", "consumer.autoscaling.maxReplicas=7"],
        "minimal",
        "consumer.autoscaling.maxReplicas: 7, but the topics have 6 partitions",
    ),
    (["worker.replicaCount=7"], "minimal", "worker.replicaCount: 7, but the topics have 6 partitions"),
    (
        ["worker.autoscaling.enabled=true", "worker.autoscaling.minReplicas=3"],
        "minimal",
        "worker.autoscaling.minReplicas: 3, more than maxReplicas, 2",
    ),
    (
        ["consumer.terminationGracePeriodSeconds=50"],
        "minimal",
        "consumer.terminationGracePeriodSeconds: 50, but draining may take 50 s",
    ),
    (
        ["worker.terminationGracePeriodSeconds=60", "worker.settings.delivery.drain_timeout_s=100.5"],
        "minimal",
        "worker.terminationGracePeriodSeconds: 60, but draining may take 126 s",
    ),
    (["consumer.modelCache.existingClaim="], "minimal", "must come from somewhere"),
    (["consumer.modelCache.existingClaim=m"], "cpu-evaluation", "create and existingClaim are both given"),
    (["consumer.modelCache.pull.enabled=false"], "cpu-evaluation", "the new volume would stay empty"),
    (["consumer.modelCache.create=false"], "cpu-evaluation", "there is no volume to pull to"),
    (["consumer.replicaCount=2"], "cpu-evaluation", "ReadWriteOnce can be mounted on one node alone"),
    (["model.name=/models/ours"], "cpu-evaluation", "which cannot be pulled"),
    (["ollama.urls=null"], "minimal", "the worker has nobody to ask"),
    (["ollama.enabled=true"], "minimal", "ollama: enabled, and urls given"),
    (["ollama.urls[0]=http://ollama.example.org:11434"], "minimal", "is not in this cluster, and would be sent images"),
    (["ollama.urls[0]=http://10.1.2.3:11434"], "minimal", "is not in this cluster, and would be sent images"),
    (["ollama.urls[0]=http://[fd00::1]:11434"], "minimal", "is not in this cluster, and would be sent images"),
    (["ollama.replicaCount=2"], "cpu-evaluation", "2 servers share the volume"),
    (["ollama.pull.enabled=false"], "cpu-evaluation", "ollama.persistence: the new volume would stay empty"),
    (["ollama.model=qwen3-vl:235b-cloud"], "minimal", "a model of Ollama's cloud"),
    (
        ["settings.kafka.bootstrap_servers=b:9092"],
        "minimal",
        "settings.kafka.bootstrap_servers: made from other values",
    ),
    (["settings.kafka.sasl_password=hush"], "minimal", "settings.kafka.sasl_password: made from other values"),
    (["worker.settings.ollama.model=m"], "minimal", "worker.settings.ollama.model: made from other values"),
    (["extraEnv[0].name=SLUICEGATE_BATCH__MAX_FRAMES", "extraEnv[0].value=8"], "minimal", "say it in settings"),
    (["policy.document=a", "policy.existingConfigMap=b"], "minimal", "document and existingConfigMap are both given"),
    (
        ["metrics.serviceMonitor.enabled=true", "metrics.podMonitor.enabled=true"],
        "minimal",
        "every metric would be counted twice",
    ),
    (["kafka.bootstrapServers[0]=kafka.example.org:9092"], "minimal", "say where it is in networkPolicy.kafka.to"),
    (["kafka.bootstrapServers[0]=192.0.2.7:9092"], "minimal", "192.0.2.7/32 lies outside the private ranges"),
    (["objectStore.allowedUriPrefixes[0]=s3://uploads/"], "minimal", "its provider's public address"),
    (
        ["objectStore.allowedUriPrefixes[0]=https://cdn.example.org/"],
        "minimal",
        "say where it is in networkPolicy.objectStore.to",
    ),
    (["tracing.endpoint=https://otel.example.org"], "minimal", "say where it is in networkPolicy.collector.to"),
    ([PUBLIC % ("kafka", "0.0.0.0/0")], "minimal", "networkPolicy.kafka.to: 0.0.0.0/0 lies outside"),
    ([PUBLIC % ("kafka", "10.0.0.0/7")], "minimal", "networkPolicy.kafka.to: 10.0.0.0/7 lies outside"),
    (
        [PUBLIC % ("objectStore", "172.15.0.0/16")],
        "minimal",
        "networkPolicy.objectStore.to: 172.15.0.0/16 lies outside",
    ),
    ([PUBLIC % ("ollama", "2000::/3")], "minimal", "networkPolicy.ollama.to: 2000::/3 lies outside"),
    (["networkPolicy.extraEgress[0].ports[0].port=443"], "minimal", "a rule without `to` allows every address"),
    (
        ["networkPolicy.extraEgress[0].to[0].ipBlock.cidr=8.8.8.8/32"],
        "minimal",
        "networkPolicy.extraEgress: 8.8.8.8/32 lies outside",
    ),
]

ALLOWED = [
    ["consumer.terminationGracePeriodSeconds=51"],
    ["consumer.replicaCount=6"],
    ["ollama.urls[0]=http://ollama:11434"],
    ["ollama.urls[0]=http://10.1.2.3:11434", "ollama.allowExternal=true"],
    ["kafka.bootstrapServers[0]=kafka.example.org:9092", PUBLIC % ("kafka", "10.9.0.0/16")],
    ["kafka.bootstrapServers[0]=kafka.example.org:9092", "networkPolicy.enabled=false"],
    ["kafka.bootstrapServers[0]=192.0.2.7:9092", "networkPolicy.allowPublic=true"],
    ["objectStore.allowedUriPrefixes[0]=s3://uploads/", PUBLIC % ("objectStore", "172.16.0.0/12")],
    [PUBLIC % ("kafka", "100.64.0.0/10")],
    [PUBLIC % ("kafka", "fd00::/8")],
    ["consumer.modelCache.existingClaim=", "model.name=/opt/model"],
]


def options(values):
    return [option for value in values for option in ("--set", value)]


@pytest.mark.parametrize(("values", "profile", "sentence"), REFUSED, ids=[sentence for *_, sentence in REFUSED])
def test_refused(helm, values, profile, sentence):
    with pytest.raises(RefusedError) as refusal:
        render(helm, profile, *options(values))
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("values", ALLOWED, ids=map(str, ALLOWED))
def test_allowed(helm, values):
    assert render(helm, "minimal", *options(values))
