"""`sluicegate policy`, as a script and as a reader see it."""

import json

import pytest
from typer.testing import CliRunner, Result

from sluicegate_consumer.commands.policy import app
from sluicegate_consumer.policy.load import load_policy

SMALL = """\
version: "7"
models: {m: {normal: null, nsfw: sexual}}
policies:
  default:
    categories: {sexual: {approve_below: 0.25, reject_above: 0.75}, hate: {description: Hatred.}, gore: null}
    second_opinion: {approve_below: 0.2, reject_above: 0.8, outage: review, deadline: 600s}
  human: {extends: default, second_opinion: null, disagreement: null}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a world whose configured policy is `SMALL`."""
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.setenv("SLUICEGATE_POLICY_FILE", str(tmp_path / "small.yaml"))
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return invoke


def test_check_confirms_the_configured_file_in_one_line(run):
    result = run("check")

    assert result.exit_code == 0
    assert result.stdout.startswith("ok: version 7, policies default, human, 1 models, sha256:")
    assert len(result.stdout.splitlines()) == 1


def test_check_lists_what_is_wrong_and_exits_with_2(run, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(SMALL.replace('"7"', "7").replace("0.75", "7.5"))
    result = run("check", str(wrong))

    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"policy file {wrong}:" in result.stderr
    assert "line 1: version: must be text" in result.stderr
    assert "line 5: policies.default.categories.sexual.reject_above: must be at most 1.0 (is 7.5)" in result.stderr


def test_show_draws_the_bands_to_scale(run):
    row = next(line for line in run("show", "--policy", "default").stdout.splitlines() if "sexual" in line)

    approved, ambiguous, rejected = (row.count(cell) for cell in "·▒█")
    assert approved == rejected
    assert abs(ambiguous - 2 * approved) <= 2
    assert "0.25" in row


def test_show_tells_what_is_not_judged_and_what_the_rules_are(run):
    shown = run("show").stdout

    assert "gore │ not judged" in shown.replace("  ", "").replace(" │not", " │ not")
    assert "only the second tier judges it" in shown
    assert "outage of the second tier: review after 10m" in shown
    assert "ambiguous: review, there is no second opinion" in shown
    assert "harmless" in shown


def test_show_as_json_is_the_resolved_document(run):
    shown = json.loads(run("show", "--policy", "human", "--json").stdout)

    assert shown["version"] == "7"
    assert list(shown["policies"]) == ["human"]
    assert shown["policies"]["human"]["second_opinion"] is None
    assert shown["policies"]["human"]["categories"]["sexual"]["approve_below"] == 0.25
    assert shown["models"] == {"m": {"normal": None, "nsfw": "sexual"}}


def test_show_of_an_unknown_policy_names_the_known_ones(run):
    result = run("show", "--policy", "nobody")

    assert result.exit_code == 2
    assert "no policy 'nobody'; there are default, human" in result.stderr


def test_the_package_s_own_policy_is_checked_where_none_is_configured(run, monkeypatch):
    monkeypatch.delenv("SLUICEGATE_POLICY_FILE")

    assert load_policy().digest in run("check").stdout
