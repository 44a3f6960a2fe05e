from datetime import timedelta
from pathlib import Path

import pytest

from sluicegate_consumer.demo.policy import MOST_ASKED_ABOUT, POLICY, demo_policy, label_bands
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.policy.load import load_policy, parse_policy

EMBEDDED = ("OwenElliott/image-safety-classifier-s", ("NSFL", "NSFW", "SFW"))
UNKNOWN = ("mine", ("normal", "cats & dogs", "cats + dogs", "猫"))


def document(model, labels):
    return parse_policy(demo_policy(load_policy(), model, labels).text, Path("demo.yaml"))


def test_nobody_waits_for_a_language_model_that_is_away():
    second_opinion = document(*EMBEDDED).policy(POLICY).second_opinion

    assert ("review", timedelta(seconds=1)) == (second_opinion.outage, second_opinion.deadline)


def test_a_known_model_is_judged_by_the_packaged_bands():
    packaged, demo = load_policy(), document(*EMBEDDED)

    assert packaged.policy(POLICY).categories == demo.policy(POLICY).categories
    assert packaged.version != demo.version
    assert demo_policy(packaged, *EMBEDDED).note is None


def test_each_label_of_an_unknown_model_is_a_category_unless_it_sounds_harmless():
    demo = document(*UNKNOWN)

    assert {"normal": None, "cats & dogs": "label_1", "cats + dogs": "label_2", "猫": "label_3"} == dict(
        demo.mapping_for(*UNKNOWN).labels
    )
    assert "3 of its labels" in demo_policy(load_policy(), *UNKNOWN).note


def test_a_model_of_many_labels_is_no_question_for_a_language_model():
    labels = [f"thing {number}" for number in range(MOST_ASKED_ABOUT + 1)]

    assert document("many", labels).policy(POLICY).second_opinion is None
    assert document("few", labels[:MOST_ASKED_ABOUT]).policy(POLICY).second_opinion is not None


def test_a_model_that_can_only_say_harmless_is_refused():
    with pytest.raises(ConfigurationError, match="neutral"):
        demo_policy(load_policy(), "mild", ("neutral", "Safe"))


def test_bands_are_shown_where_a_label_is_judged_alone():
    assert {"NSFL": (0.15, 0.85), "NSFW": (0.15, 0.85)} == label_bands(document(*EMBEDDED), *EMBEDDED)
    summed = ("Freepik/nsfw_image_detector", ("neutral", "low", "medium", "high"))
    assert {} == label_bands(document(*summed), *summed)
