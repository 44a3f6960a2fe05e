"""The metrics say what happened, under names that dashboards rely on."""

from prometheus_client import generate_latest

from sluicegate_consumer.errors import Poison
from sluicegate_consumer.operations.metrics import new_metrics
from sluicegate_schemas.events import Decision, Stage


def test_every_method_shows_under_its_name_and_labels():
    metrics = new_metrics()
    metrics.received(2)
    metrics.outcome(Stage.CLASSIFIER, Decision.REJECTED, "sexual")
    metrics.outcome(Stage.VLM, Decision.APPROVED, None)
    metrics.dead_letter("read", Poison("no key"))
    metrics.took("fetch", 0.02)
    metrics.batch_closed(16, "size")
    metrics.in_flight(7)
    metrics.committed()
    metrics.committed(accepted=False)
    metrics.publish_failed("sluicegate.verdicts")
    metrics.blocked(2)
    metrics.halted()
    metrics.opinion("reject", 1.5)
    metrics.second_tier_available(available=True)
    metrics.model("vit", "sha256:0", "cpu", "torch", "float32")
    shown = {
        name: value
        for line in generate_latest(metrics.registry).decode().splitlines()
        if not line.startswith("#")
        for name, value in [line.rsplit(" ", 1)]
        if value != "0.0"
    }
    assert {
        "sluicegate_records_received_total": "2.0",
        'sluicegate_outcomes_total{category="sexual",decision="rejected",stage="classifier"}': "1.0",
        'sluicegate_outcomes_total{category="",decision="approved",stage="vlm"}': "1.0",
        'sluicegate_dead_letters_total{reason="Poison",stage="read"}': "1.0",
        'sluicegate_step_seconds_bucket{le="0.025",step="fetch"}': "1.0",
        'sluicegate_batch_frames_sum{reason="size"}': "16.0",
        "sluicegate_in_flight": "7.0",
        'sluicegate_commits_total{result="accepted"}': "1.0",
        'sluicegate_commits_total{result="refused"}': "1.0",
        'sluicegate_publish_failures_total{topic="sluicegate.verdicts"}': "1.0",
        "sluicegate_blocked_partitions": "2.0",
        "sluicegate_consumption_halted": "1.0",
        'sluicegate_opinion_seconds_sum{result="reject"}': "1.5",
        "sluicegate_second_tier_available": "1.0",
        'sluicegate_model_info{device="cpu",digest="sha256:0",name="vit",precision="float32",runtime="torch"}': "1.0",
    }.items() <= shown.items()


def test_two_sets_of_metrics_know_nothing_of_each_other():
    one, other = new_metrics(), new_metrics()
    one.received(1)
    assert other.registry.get_sample_value("sluicegate_records_received_total") == 0
