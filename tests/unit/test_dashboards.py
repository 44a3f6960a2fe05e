"""The dashboards are what their descriptions say, and Prometheus understands every query in them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dashboards.description import Panel
from dashboards.grafana import DASHBOARDS, FOLDER, written

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_the_committed_file_is_what_the_description_says(dashboard):
    assert written(dashboard) == (ROOT / FOLDER / f"{dashboard.name}.json").read_text()


def test_no_file_is_without_a_description():
    assert {f"{dashboard.name}.json" for dashboard in DASHBOARDS} == {
        path.name for path in (ROOT / FOLDER).iterdir() if path.suffix == ".json"
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_no_panel_covers_another(dashboard):
    taken = set()
    for panel in json.loads(written(dashboard))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: it is in Debian's package `prometheus`")
def test_prometheus_understands_every_query(tmp_path):
    exprs = [
        query.expr.replace("$__rate_interval", "1m").replace("$namespace", ".*")
        for dashboard in DASHBOARDS
        for panel, _, _ in dashboard.placed()
        if isinstance(panel, Panel)
        for query in panel.queries
    ]
    assert not [expr for expr in exprs if re.search(r"[@#$]", expr)]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(exprs)]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    ended = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert 0 == ended.returncode, ended.stderr
