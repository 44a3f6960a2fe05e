"""Writes the dashboards for Grafana: `python -m dashboards.grafana`; with `--check`, only compares."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from dashboards.description import COLUMNS, Dashboard, Panel, Row
from dashboards.overview import OVERVIEW
from dashboards.second_tier import SECOND_TIER
from dashboards.trust_and_safety import TRUST_AND_SAFETY

DASHBOARDS = (OVERVIEW, SECOND_TIER, TRUST_AND_SAFETY)
FOLDER = Path("helm/sluicegate/files/dashboards")
SCHEMA_VERSION = 39
"""Of Grafana 11; newer ones migrate it as they load it."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TYPES = {"number": "stat", "lines": "timeseries", "stacked": "timeseries", "table": "table"}


def written(dashboard: Dashboard) -> str:
    """The file, JSON."""
    return json.dumps(_dashboard(dashboard), indent=1, ensure_ascii=False) + "\n"


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    panels = [
        _row(item, line) | {"id": number} if isinstance(item, Row) else _panel(item, column, line) | {"id": number}
        for number, (item, column, line) in enumerate(dashboard.placed(), 1)
    ]
    return {
        "uid": f"sluicegate-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["sluicegate"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_choose_source(), _choose_namespace()]},
        "links": [{"type": "dashboards", "tags": ["sluicegate"], "title": "sluicegate", "asDropdown": False}],
        "panels": panels,
    }


def _choose_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choose_namespace() -> dict[str, Any]:
    query = "label_values(sluicegate_build_info, namespace)"
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "namespace"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",  # also where no such label is put on
        "current": {"text": "All", "value": "$__all"},
    }


def _row(row: Row, line: int) -> dict[str, Any]:
    place = {"x": 0, "y": line, "w": COLUMNS, "h": 1}
    return {"type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: Panel, column: int, line: int) -> dict[str, Any]:
    instant = panel.kind == "table"
    return {
        "type": TYPES[panel.kind],
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": {"x": column, "y": line, "w": panel.width, "h": panel.height},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "instant": instant,
                "range": not instant,
                "format": "table" if instant else "time_series",
            }
            for number, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.kind == "number":
        defaults |= {"decimals": 1 if panel.unit in {"percentunit", "reqps"} else 0, "thresholds": _thresholds(panel)}
    if panel.kind == "stacked":
        defaults["custom"] = {"stacking": {"mode": "normal"}, "fillOpacity": 40, "lineWidth": 1}
    if panel.kind == "lines":
        defaults["custom"] = {"fillOpacity": 5, "lineWidth": 2, "showPoints": "never"}
    return defaults


def _thresholds(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "text", "value": None}]
    if panel.good_below is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.good_below}]
    if panel.good_from is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.good_from}]
    return {"mode": "absolute", "steps": steps}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "number":
        return {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}}
    if panel.kind == "table":
        return {"showHeader": True}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def main() -> int:
    """Write, or check; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    differing = []
    for dashboard in DASHBOARDS:
        path, text = FOLDER / f"{dashboard.name}.json", written(dashboard)
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            differing.append(path)
    for path in differing:
        print(f"{path} differs from its description: run make dashboards", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
