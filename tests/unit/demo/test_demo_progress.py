import pytest
from recorded import BEGAN, second_opinion, submission, verdict

from sluicegate_consumer.demo.figures import figures, percentile
from sluicegate_consumer.demo.progress import Progress, is_final
from sluicegate_schemas.events import Decision, Stage


@pytest.mark.parametrize("decision", [decision for decision in Decision if decision is not Decision.ESCALATED])
def test_the_first_tier_has_the_last_word_on_whatever_it_does_not_escalate(decision):
    assert is_final(verdict("astronaut.png", decision))


def test_an_escalation_is_final_only_as_the_second_tiers_word():
    provisional = verdict("astronaut.png", Decision.ESCALATED)
    standing = verdict("astronaut.png", Decision.ESCALATED, stage=Stage.VLM, revision=2)

    assert [False, True] == [is_final(provisional), is_final(standing)]


def test_an_upload_is_missing_until_its_final_verdict_has_come():
    upload = submission("coffee-detail.png")
    progress = Progress((upload,))
    provisional = verdict(upload.name, Decision.ESCALATED)

    seen = [progress.missing]
    progress.record(provisional)
    seen.append(progress.missing)
    progress.record(second_opinion(provisional))
    seen.append(progress.missing)

    assert [(upload,), (upload,), ()] == seen


def test_a_late_copy_of_the_provisional_verdict_supersedes_nothing():
    upload = submission("coffee-detail.png")
    progress = Progress((upload,))
    provisional = verdict(upload.name, Decision.ESCALATED)
    final = second_opinion(provisional)

    for event in (final, provisional, provisional.model_copy(update={"decided_at": BEGAN})):
        progress.record(event)

    assert final == progress.holding(upload)
    assert (provisional, final) == progress.history(upload)
    assert 2 == progress.count


def test_figures_of_the_recorded_run(run):
    found = figures(run)

    assert {"approved": 7, "review": 2, "rejected": 1, "unprocessable": 1} == dict(found.counts)
    assert 10 / 11 == found.tier_one_share
    assert 0 == found.missing
    # Eleven verdicts: the first was received at 480 ms (500 less its own 20), the last one decided at 900 ms.
    assert 11 / 0.42 == pytest.approx(found.per_second)
    assert (25.0, 30.0) == (found.p50_ms, found.p99_ms)


def test_figures_of_nothing_are_absent_not_zero():
    found = figures(Progress((submission("astronaut.png"),)))

    assert (None, None, None, None) == (found.tier_one_share, found.per_second, found.p50_ms, found.p99_ms)
    assert 1 == found.missing


def test_percentiles_go_by_nearest_rank():
    hundred = [float(number) for number in range(1, 101)]

    assert [50.0, 99.0, 100.0] == [percentile(hundred, percent) for percent in (50, 99, 100)]
    assert 7.0 == percentile([7.0], 99)
