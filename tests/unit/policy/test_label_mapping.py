"""Which entry of the policy speaks for a checkpoint, and when none does."""

from pathlib import Path

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.policy.load import parse_policy

DOCUMENT = parse_policy(
    """\
version: "1"
models:
  hub/a: {normal: null, nsfw: sexual}
  hub/b: {safe: null, bad: sexual}
  hub/c: {safe: null, bad: violence}
  hub/d: {normal: null, nsfw: sexual}
  hub/gore: {fine: null, gore: violence}
policies:
  default:
    categories:
      sexual: {approve_below: 0.1, reject_above: 0.9}
      violence: {approve_below: 0.1, reject_above: 0.9}
""",
    Path("policy.yaml"),
)


def test_the_entry_of_the_checkpoint_s_name_speaks_for_it():
    mapping = DOCUMENT.mapping_for("hub/c", ("bad", "safe"))

    assert mapping.entry == "hub/c"
    assert mapping.labels == {"safe": None, "bad": "violence"}


def test_a_checkpoint_in_a_directory_is_known_by_its_labels():
    """Two entries have these labels; they agree, so nothing is guessed."""
    mapping = DOCUMENT.mapping_for("/srv/models/vit", ("nsfw", "normal"))

    assert mapping.entry == "hub/a"
    assert mapping.labels == {"normal": None, "nsfw": "sexual"}


@pytest.mark.parametrize(
    ("name", "labels", "said"),
    [
        ("hub/a", ("normal", "nsfw", "drawing"), r"models\.hub/a: the label drawing is not mapped"),
        ("hub/a", ("normal",), r"models\.hub/a: the model has no label nsfw"),
        ("/srv/x", ("safe", "bad"), r"disagree \(hub/b, hub/c\): add one named /srv/x"),
        ("/srv/x", ("cat", "dog"), r"add\n  /srv/x: \{cat: CATEGORY or null, dog: CATEGORY or null\}"),
        ("hub/unknown", ("normal", "nsfw", "drawing"), "no entry for hub/unknown"),
    ],
)
def test_a_label_that_is_not_mapped_is_a_start_up_error(name, labels, said):
    with pytest.raises(ConfigurationError, match=said):
        DOCUMENT.mapping_for(name, labels)


def test_a_policy_that_judges_nothing_that_the_model_sees_is_a_start_up_error():
    text = """\
version: "1"
models: {m: {normal: null, nsfw: sexual}}
policies:
  blind: {categories: {sexual: null, violence: {approve_below: 0.1, reject_above: 0.9}}}
"""
    document = parse_policy(text, Path("policy.yaml"))

    with pytest.raises(ConfigurationError, match=r"policies\.blind\.categories: all that m can see is null here"):
        document.mapping_for("m", ("normal", "nsfw"))
