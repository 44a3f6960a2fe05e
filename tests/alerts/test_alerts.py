"""The alerts are valid, fire when they should and not before, and each has a section that says what to do."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "helm" / "sluicegate" / "files" / "alerts.yaml"
CASES = Path(__file__).with_name("alerts_test.yaml")
OPERATIONS = ROOT / "docs" / "operations.md"

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: it is in Debian's package `prometheus`"
)


def groups() -> list[dict[str, Any]]:
    return yaml.safe_load(RULES.read_text())["groups"]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def promtool(*arguments: object) -> None:
    ended = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert 0 == ended.returncode, ended.stdout + ended.stderr


@needs_promtool
def test_the_rules_are_valid():
    promtool("check", "rules", RULES)


@needs_promtool
def test_the_rules_fire_as_the_cases_say(tmp_path: Path):
    rules = {"groups": groups()}
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations", None)
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    cases = tmp_path / CASES.name
    cases.write_text(CASES.read_text())
    promtool("test", "rules", cases)


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    fires: dict[str, set[bool]] = defaultdict(set)
    for test in yaml.safe_load(CASES.read_text())["tests"]:
        for case in test.get("alert_rule_test", []):
            fires[case["alertname"]].add(bool(case.get("exp_alerts")))
    assert {name: {True, False} for name in alerts()} == fires


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_is_the_matter_how_bad_it_is_and_where_to_read_on(name: str):
    alert = alerts()[name]
    assert {"summary", "description", "runbook_url"} == alert["annotations"].keys()
    assert alert["labels"]["severity"] in {"critical", "warning"}
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert OPERATIONS == ROOT / page
    assert anchor in anchors()


def test_the_runbook_has_a_section_for_nothing_that_is_no_alert():
    sections = set(re.findall(r"^### (Sluicegate\w+)$", OPERATIONS.read_text(), re.MULTILINE))
    assert alerts().keys() == sections


def anchors() -> set[str]:
    """Of the headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
