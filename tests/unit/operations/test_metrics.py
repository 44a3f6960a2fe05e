"""The metrics say what happened, under names that rules and dashboards rely on."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sluicegate_consumer.errors import Poison
from sluicegate_consumer.operations.health import Health
from sluicegate_consumer.operations.metrics import Metrics, new_metrics
from sluicegate_consumer.operations.metrics_catalogue import CATALOGUE
from sluicegate_schemas.events import Decision, Stage


def shown(metrics: Metrics) -> dict[str, str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def everything_happens(metrics: Metrics, health: Health) -> None:
    metrics.runs("consume", health)
    metrics.policy("7")
    metrics.loop_late(0.02)
    metrics.model("vit", "sha256:0", "cpu", "torch", "float32", wanted="auto")
    metrics.egress_refused()
    metrics.received(2)
    metrics.lag([(("uploads", 0), 5), (("uploads", 1), 0)])
    metrics.in_flight(7)
    metrics.oldest_in_flight(1.5)
    metrics.acknowledged(dead_letter=False, seconds=0.02)
    metrics.acknowledged(dead_letter=True, seconds=0.02)
    metrics.publish_failed()
    metrics.committed()
    metrics.committed(accepted=False)
    metrics.revoked(3)
    metrics.blocked(2)
    metrics.halted()
    metrics.verdict(Stage.CLASSIFIER, Decision.REJECTED, "sexual", "above_reject")
    metrics.verdict(Stage.VLM, Decision.APPROVED, None, "vlm_approved")
    metrics.dead_letter("read", Poison("no key"))
    metrics.took("fetch", 0.02)
    metrics.batch_closed(16, "size")
    metrics.second_look()
    metrics.opinion("reject", 1.5)
    metrics.answered("ollama:11434", 1.2)
    metrics.failed("ollama:11434", "timeout")
    metrics.breakers({"ollama:11434": "closed", "other:11434": "open"})
    metrics.escalation_settled(40)
    metrics.escalations_waiting(4, 30)


EXPECTED = {
    'sluicegate_service_state{state="starting"}': "1.0",
    'sluicegate_event_loop_lag_seconds_bucket{le="0.025"}': "1.0",
    'sluicegate_model_info{device="cpu",digest="sha256:0",name="vit",precision="float32",runtime="torch"}': "1.0",
    "sluicegate_gpu_fallback": "1.0",
    "sluicegate_egress_refused_total": "1.0",
    "sluicegate_records_received_total": "2.0",
    'sluicegate_lag_records{partition="0",topic="uploads"}': "5.0",
    "sluicegate_in_flight": "7.0",
    "sluicegate_in_flight_oldest_seconds": "1.5",
    'sluicegate_outcomes_acknowledged_total{kind="verdict"}': "1.0",
    'sluicegate_outcomes_acknowledged_total{kind="dead_letter"}': "1.0",
    'sluicegate_step_seconds_count{step="publish"}': "2.0",
    "sluicegate_publish_failures_total": "1.0",
    'sluicegate_commits_total{result="accepted"}': "1.0",
    'sluicegate_commits_total{result="refused"}': "1.0",
    "sluicegate_partitions_revoked_total": "3.0",
    "sluicegate_blocked_partitions": "2.0",
    "sluicegate_consumption_halted": "1.0",
    'sluicegate_verdicts_total{category="sexual",decision="rejected",stage="classifier"}': "1.0",
    'sluicegate_verdicts_total{category="",decision="approved",stage="vlm"}': "1.0",
    'sluicegate_verdict_reasons_total{reason="vlm_approved",stage="vlm"}': "1.0",
    'sluicegate_dead_letters_total{reason="Poison",stage="read"}': "1.0",
    'sluicegate_step_seconds_bucket{le="0.025",step="fetch"}': "1.0",
    'sluicegate_batch_frames_sum{reason="size"}': "16.0",
    "sluicegate_second_looks_total": "1.0",
    'sluicegate_opinion_seconds_sum{result="reject"}': "1.5",
    'sluicegate_ollama_seconds_sum{server="ollama:11434"}': "1.2",
    'sluicegate_ollama_failures_total{reason="timeout",server="ollama:11434"}': "1.0",
    'sluicegate_ollama_breaker_state{server="ollama:11434",state="closed"}': "1.0",
    'sluicegate_ollama_breaker_state{server="ollama:11434",state="open"}': "0.0",
    'sluicegate_ollama_breaker_state{server="other:11434",state="open"}': "1.0",
    "sluicegate_second_tier_available": "1.0",
    "sluicegate_escalation_seconds_sum": "40.0",
    "sluicegate_escalations_waiting": "4.0",
    "sluicegate_escalations_oldest_seconds": "30.0",
}


def test_every_method_shows_under_its_name_and_labels():
    metrics = new_metrics()
    everything_happens(metrics, Health(60))
    assert EXPECTED.items() <= shown(metrics).items()


def test_what_is_shown_is_what_the_catalogue_names_and_labels():
    metrics = new_metrics()
    everything_happens(metrics, Health(60))
    families = {
        family.name: family
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        if not family.name.startswith("sluicegate_process_")
    }
    found = {sample.name: set(sample.labels) - {"le"} for family in families.values() for sample in family.samples}
    expected = {name: {label.name for label in metric.labels} for metric in CATALOGUE for name in metric.shown}
    assert expected == found
    assert {metric.name: metric.help for metric in CATALOGUE}.items() <= {
        name.removesuffix("_info"): family.documentation for name, family in families.items()
    }.items()


def test_no_label_is_one_that_targets_have_in_a_cluster():
    of_targets = {"job", "instance", "namespace", "pod", "container", "service", "endpoint", "node", "prometheus"}
    assert not of_targets & {label.name for metric in CATALOGUE for label in metric.labels}


def test_series_whose_labels_are_known_stand_at_zero_before_anything_happens():
    series = shown(new_metrics())
    for name in (
        'sluicegate_commits_total{result="refused"}',
        'sluicegate_step_seconds_count{step="render"}',
        'sluicegate_verdict_reasons_total{reason="vlm_unavailable",stage="vlm"}',
        "sluicegate_egress_refused_total",
    ):
        assert "0.0" == series[name]


def test_a_partition_that_is_held_no_longer_shows_no_lag():
    metrics = new_metrics()
    metrics.lag([(("uploads", 0), 5), (("uploads", 1), 6)])
    metrics.lag([(("uploads", 1), 7)])
    lags = {name: value for name, value in shown(metrics).items() if name.startswith("sluicegate_lag_records")}
    assert {'sluicegate_lag_records{partition="1",topic="uploads"}': "7.0"} == lags


def test_state_and_silence_are_those_at_the_moment_of_looking():
    now, metrics = [0.0], new_metrics()
    health = Health(10, lambda: now[0])
    metrics.runs("consume", health)
    health.ready()
    now[0] = 4.0
    value = metrics.registry.get_sample_value
    assert 1 == value("sluicegate_service_state", {"state": "ready"})
    assert 4 == value("sluicegate_event_loop_silent_seconds")
    now[0] = 11.0
    assert (0, 1) == tuple(value("sluicegate_service_state", {"state": state}) for state in ("ready", "stuck"))


def test_a_cpu_that_was_asked_for_is_no_fallback():
    metrics = new_metrics()
    for wanted, device, expected in (("cpu", "cpu", 0), ("auto", "cuda:0", 0), ("auto", "cpu", 1)):
        metrics.model("vit", "sha256:0", device, "torch", wanted=wanted)
        assert expected == metrics.registry.get_sample_value("sluicegate_gpu_fallback")


def test_a_service_shows_nothing_that_only_the_other_one_moves():
    for service, other, own in (
        ("consume", "sluicegate_second_tier_available", "sluicegate_gpu_fallback"),
        ("escalate", "sluicegate_gpu_fallback", "sluicegate_second_tier_available"),
    ):
        names = shown(new_metrics(service))
        assert own in names
        assert "sluicegate_in_flight" in names
        assert other not in names


def test_two_sets_of_metrics_know_nothing_of_each_other():
    one, other = new_metrics(), new_metrics()
    one.received(1)
    assert other.registry.get_sample_value("sluicegate_records_received_total") == 0
