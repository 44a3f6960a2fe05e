"""The same work has the same verdict id; another image, policy, model or upload has another."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from test_cloudevents import NOON, verdict

from sluicegate_schemas.events import Stage
from sluicegate_schemas.identity import derived_id, supersedes, verdict_id

WORK = {
    "source": "sluicegate",
    "upload_id": "a",
    "uploaded_at": NOON,
    "image_sha256": "a" * 64,
    "stage": Stage.CLASSIFIER,
    "policy_version": "7",
    "model_revision": "sha256:1",
}


def test_an_id_is_the_same_in_every_release():
    assert "757e7632-4078-5402-a4b0-1d716b4d0a0a" == str(verdict_id(**WORK))


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"upload_id": "b"},
        {"uploaded_at": NOON + timedelta(microseconds=1)},
        {"image_sha256": "b" * 64},
        {"image_sha256": None},
        {"stage": Stage.VLM},
        {"policy_version": "8"},
        {"model_revision": "sha256:2"},
        {"model_revision": None},
    ],
)
def test_other_work_has_another_id(change):
    assert verdict_id(**WORK) != verdict_id(**WORK | change)


def test_a_moment_is_the_same_in_every_time_zone():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert verdict_id(**WORK) == verdict_id(**WORK | {"uploaded_at": elsewhere})


def test_parts_cannot_be_shifted_into_each_other():
    assert derived_id("a", "bc") != derived_id("ab", "c") != derived_id("abc", None)


def test_the_latest_upload_holds_then_the_highest_revision_then_the_first_copy():
    first = verdict(revision=1)
    second = verdict(revision=2)
    later = verdict(revision=1, uploaded_at=datetime(2026, 11, 2, tzinfo=UTC))
    assert supersedes(first, None)
    assert supersedes(second, first)
    assert supersedes(later, second)
    assert not supersedes(first, first)
    for order in permutations([first, second, later]):
        holding = None
        for each in order:
            holding = each if supersedes(each, holding) else holding
        assert later is holding
