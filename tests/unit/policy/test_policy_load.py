"""Reading a policy file: what is right is read as written, what is wrong is found at once, with its line."""

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.policy.document import PolicyDocument, UnknownPolicy
from sluicegate_consumer.policy.load import load_policy, parse_policy
from sluicegate_consumer.policy.rules import Bands

SMALL = """\
version: "1"
models:
  m: {normal: null, nsfw: sexual}
policies:
  default:
    categories:
      sexual: {approve_below: 0.15, reject_above: 0.90}
"""

QUOTE_IT = 'must be text: put it in quotes, such as "2026-11-01"'
LOWER = "what lies between is neither, so it must be the lower one"
DURATION = "must be a duration above zero such as 90s, 10m, 2h or 1d"


def parse(text: str) -> PolicyDocument:
    return parse_policy(dedent(text), Path("policy.yaml"))


def errors(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    first, *lines = str(caught.value).splitlines()
    assert first.startswith("policy file policy.yaml:")
    return [line.strip() for line in lines]


def test_a_small_document_is_read_with_cautious_defaults():
    policy = parse(SMALL).policy("default")

    assert (policy.name, policy.version) == ("default", "1")
    assert Bands(0.15, 0.90) == policy.categories["sexual"].bands
    assert policy.second_opinion is None
    assert policy.disagreement is not None
    assert policy.disagreement.then == "review"
    assert policy.degenerate.then == "review"


def test_everything_wrong_is_reported_at_once_in_the_order_of_its_lines():
    found = errors(
        """\
        version: 2026-11-01
        models: {m: {x: sexual}}
        modles: {}
        policies:
          a:
            categories:
              sexual: {approve_below: "0.9", reject_above: .nan, reject_below: 1}
              other: {approve_below: 0.9, reject_above: 0.5}
            second_opinion: {approve_below: 1.5, outage: wait, deadline: 10 minutes}
            degenerate: {min_side: 1.5}
        """
    )
    assert [
        f"line 1: version: {QUOTE_IT} (is the date 2026-11-01 to YAML)",
        "line 3: modles: is not a key here; did you mean models?",
        'line 7: policies.a.categories.sexual.approve_below: must be a number (is "0.9")',
        "line 7: policies.a.categories.sexual.reject_above: must be a finite number (is NaN)",
        "line 7: policies.a.categories.sexual.reject_below: is not a key here; did you mean reject_above?",
        f"line 8: policies.a.categories.other: approve_below 0.9 is above reject_above 0.5: {LOWER}",
        "line 9: policies.a.second_opinion.approve_below: must be at most 1.0 (is 1.5)",
        f'line 9: policies.a.second_opinion.deadline: {DURATION} (is "10 minutes")',
        "line 9: policies.a.second_opinion.outage: must be 'hold', 'review' or 'provisional' (is \"wait\")",
        "line 9: policies.a.second_opinion.reject_above: is missing",
        "line 10: policies.a.degenerate.min_side: must be a whole number (is 1.5)",
    ] == found


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2026-11-01", "is the date 2026-11-01 to YAML"),
        ("7", "is 7"),
        ("1.0", "is 1.0"),
        ("yes", "is true"),
        ("null", "is null"),
        ("[a]", 'is ["a"]'),
    ],
)
def test_a_version_that_is_no_text_to_yaml_is_to_be_quoted(version, said):
    (error,) = errors(SMALL.replace('"1"', version))

    assert f'line 1: version: must be text: put it in quotes, such as "2026-11-01" ({said})' == error


def test_a_key_given_twice_is_an_error_with_both_lines():
    found = errors(SMALL + "      sexual: {approve_below: 0.5, reject_above: 0.95}\n")

    assert found == ["line 8: policies.default.categories.sexual: is given twice, first in line 7: keep one"]


def test_a_label_that_yaml_takes_for_a_boolean_is_to_be_quoted():
    (error,) = errors(SMALL.replace("normal:", "no:"))

    assert error == "line 3: models.m: the key no is no text to YAML: put it in quotes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a mapping of keys to values (is null)"),
        ("- 1", "must be a mapping of keys to values (is [1])"),
        ("a: [", "line 1, column 5"),
        ("a: &x [1]\nb: [*x, *x]", "aliases are not read: use extends"),
        ("version: !!python/object/apply:os.getcwd []", "cannot be read (could not determine a constructor"),
        ("version: !!set {a, b}", "version: must be text"),
        ("version: 2026-13-45", "cannot be read (month must be in 1..12)"),
        ("version: !!bool maybe", "cannot be read (no bool)"),
        ("version: !!timestamp today", "cannot be read (no timestamp)"),
        ("? [a]\n: 1", "the key here is no text to YAML"),
        ("[" * 500, "is nested too deeply"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(text, said):
    with pytest.raises(ConfigurationError) as caught:
        parse_policy(text, Path("policy.yaml"))

    assert said in str(caught.value)


def test_a_label_needs_a_category_with_bands_in_every_policy():
    found = errors(
        SMALL.replace("nsfw: sexual", "nsfw: sexual, gore: violence")
        + "  worded: {extends: default, categories: {violence: {description: Blood.}}}\n"
    )

    for name, error in zip(("default", "worded"), found, strict=True):
        assert error.startswith(f"line 3: models.m.gore: is violence, for which the policy {name} has no bands: ")
        assert f"give policies.{name}.categories.violence approve_below and reject_above, or make it null" in error


def test_a_policy_may_say_that_it_does_not_judge_a_category():
    document = parse(SMALL.replace("nsfw: sexual", "nsfw: sexual, sexy: suggestive") + "      suggestive: null\n")

    assert frozenset({"suggestive"}) == document.policy("default").ignored
    assert list(document.policy("default").categories) == ["sexual"]


def test_a_model_whose_labels_are_all_harmless_is_an_error():
    (error,) = errors(SMALL.replace("nsfw: sexual", "nsfw: null"))

    assert error == "line 3: models.m: every label is null, so everything would be approved: map one to a category"


def test_a_category_has_both_edges_or_neither():
    (error,) = errors(SMALL + "      violence: {reject_above: 0.5}\n")

    assert error.startswith("line 8: policies.default.categories.violence: give both approve_below and reject_above")


def test_long_and_short_label_mappings_are_the_same_document():
    long = SMALL.replace("{normal: null, nsfw: sexual}", "{labels: {normal: null, nsfw: sexual}}")

    assert parse(SMALL) == parse(long)


def test_a_label_may_be_called_labels():
    assert parse(SMALL.replace("normal: null, nsfw", "labels")).models["m"] == {"labels": "sexual"}


def test_the_digest_is_of_the_content_not_of_its_layout():
    same = parse("# a comment\n" + SMALL.replace("0.90", "0.9"))
    other = parse(SMALL.replace("0.90", "0.91"))

    assert parse(SMALL).digest == same.digest
    assert parse(SMALL).digest != other.digest
    assert parse(SMALL).digest.startswith("sha256:")


def test_an_unknown_policy_names_those_that_there_are():
    with pytest.raises(UnknownPolicy, match="no policy 'nobody'; there are default"):
        parse(SMALL).policy("nobody")


def test_a_prompt_is_found_beside_the_policy_file(tmp_path):
    second = "    second_opinion: {approve_below: 0.2, reject_above: 0.8, deadline: 90s, prompt: strict.j2}\n"
    (tmp_path / "policy.yaml").write_text(SMALL + second)

    with pytest.raises(ConfigurationError, match=r"line 8: policies.default.second_opinion.prompt: there is no file"):
        load_policy(tmp_path / "policy.yaml")
    (tmp_path / "strict.j2").write_text("Judge strictly.")
    rules = load_policy(tmp_path / "policy.yaml").policy("default").second_opinion

    assert rules is not None
    assert tmp_path / "strict.j2" == rules.prompt
    assert timedelta(seconds=90) == rules.deadline


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load_policy(tmp_path / "nowhere.yaml")
