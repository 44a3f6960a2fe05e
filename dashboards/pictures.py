"""Draws the dashboards from a real run: `make pictures`, some five minutes. Not Grafana, but its panels and queries."""

import argparse
import re
import tempfile
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, MinuteLocator
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dashboards.description import COLUMNS, RATE, Dashboard, Panel, Query, Row
from dashboards.grafana import DASHBOARDS
from dashboards.real_run import observed_run

FOLDER = Path("docs/pictures")
STEP_S = 2
LETTERS_PER_COLUMN = 8.5
"""Of a legend's text, in one of the grid's columns."""
WINDOW = "20s"
"""For rates: Grafana would choose four times the scrape interval or more."""
SECONDS = 300

INK, MUTED, GRID, GREEN, RED = "#1f2430", "#6b7280", "#e5e7eb", "#15803d", "#b91c1c"
COLOURS = ("#2563eb", "#ea580c", "#059669", "#9333ea", "#ca8a04", "#0891b2", "#db2777", "#4b5563")
KNOWN = {
    "approved": "#059669",
    "rejected": "#b91c1c",
    "review": "#9333ea",
    "unprocessable": "#6b7280",
    "escalated": "#ca8a04",
    "approve": "#059669",
    "reject": "#b91c1c",
    "unsure": "#9333ea",
    "away": "#6b7280",
    "verdict acknowledged": "#059669",
    "dead_letter acknowledged": "#b91c1c",
}
"""Decisions have the same colour everywhere."""

Box = tuple[float, float, float, float]
"""Left, top, width, height; parts of the figure."""
Line = tuple[str, np.ndarray, np.ndarray]
"""Legend, times (seconds since the epoch), values."""


class Prometheus:
    """What was measured between two moments."""

    def __init__(self, url: str, began: float, ended: float) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._span = {"start": began, "end": ended, "step": STEP_S}

    @property
    def span(self) -> np.ndarray:
        """When the run began and ended, seconds since the epoch."""
        return np.array([self._span["start"], self._span["end"]])

    def lines(self, query: Query) -> list[Line]:
        """The query's series over the whole run."""
        found = []
        for series in self._ask("query_range", query, self._span):
            points = np.array(series["values"], dtype=float)
            found.append((_legend(query, series["metric"]), points[:, 0], points[:, 1]))
        return sorted(found, key=lambda line: line[0])

    def labels(self, query: Query) -> list[str]:
        """The legends of the query's series at the end."""
        return sorted({_legend(query, series["metric"]) for series in self._ask("query", query, self._at_end())})

    def _at_end(self) -> dict[str, float]:
        return {"time": self._span["end"]}

    def _ask(self, kind: str, query: Query, moment: dict[str, float]) -> list[dict[str, Any]]:
        expr = query.expr.replace(RATE, WINDOW).replace("$namespace", ".*")
        answer = self._http.get(f"/api/v1/{kind}", params={"query": expr, **moment})
        answer.raise_for_status()
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result


def draw(dashboard: Dashboard, prometheus: Prometheus, path: Path) -> None:
    """One picture of the whole page."""
    places = list(dashboard.placed())
    last, _, line = places[-1]
    lines = line + (last.height if isinstance(last, Panel) else 1)
    inches_wide, inch_per_line = 15.0, 0.36
    figure = Figure((inches_wide, (lines + 3) * inch_per_line), facecolor="white")
    top = lines + 3

    def at(column: float, line: float) -> tuple[float, float]:
        return column / COLUMNS, 1 - (line + 3) / top

    figure.text(0.012, 1 - 1.15 / top, dashboard.title, size=17, weight="bold", color=INK, va="center")
    figure.text(0.012, 1 - 2.2 / top, dashboard.about, size=10.5, color=MUTED, va="center")
    for item, column, line in places:
        x, y = at(column, line)
        if isinstance(item, Row):
            figure.text(0.012, y - 0.6 / top, item.title, size=11.5, weight="bold", color=MUTED, va="center")
        else:
            _panel(figure, item, prometheus, (x, y, item.width / COLUMNS, item.height / top), top)
    figure.savefig(path, dpi=96)


def _panel(figure: Figure, panel: Panel, prometheus: Prometheus, box: Box, top: int) -> None:
    x, y, width, height = box
    frame = figure.add_axes((x + 0.006, y - height + 0.25 / top, width - 0.012, height - 0.5 / top))
    frame.set(xticks=[], yticks=[], facecolor="#fcfcfd")
    frame.spines[:].set_color(GRID)
    figure.text(x + 0.013, y - 0.85 / top, panel.title, size=10, weight="bold", color=INK, va="center")
    if panel.kind == "number":
        _number(figure, panel, prometheus, (x + 0.013, y - 2.4 / top))
    elif panel.kind == "table":
        _table(figure, panel, prometheus, (x + 0.013, y - 2.0 / top), top)
    else:
        below, above = 2.45 / top, 1.65 / top  # the legend, the title
        inner = (x + 0.045, y - height + below, width - 0.058, height - below - above)
        axes = figure.add_axes(inner)
        _chart(axes, panel, prometheus)
        axes.set_xlim(*_moments(prometheus.span))


def _number(figure: Figure, panel: Panel, prometheus: Prometheus, place: tuple[float, float]) -> None:
    lines = prometheus.lines(panel.queries[0])
    value = lines[0][2][-1] if lines else float("nan")
    colour = INK
    if panel.good_below is not None:
        colour = GREEN if value < panel.good_below else RED
    if panel.good_from is not None:
        colour = GREEN if value >= panel.good_from else RED
    whole = round(value) if panel.unit == "short" and not np.isnan(value) else value  # as Grafana is told to
    figure.text(*place, _shown(whole, panel.unit), size=21, weight="bold", color=colour, va="center")


def _table(figure: Figure, panel: Panel, prometheus: Prometheus, place: tuple[float, float], top: int) -> None:
    x, y = place
    for query in panel.queries:
        for label in prometheus.labels(query):
            wrapped = textwrap.wrap(label, 52)
            for text in wrapped:
                figure.text(x, y, text, size=9.5, color=INK, va="center", family="monospace")
                y -= 0.8 / top
            y -= 0.35 / top


def _chart(axes: Axes, panel: Panel, prometheus: Prometheus) -> None:
    lines = [line for query in panel.queries for line in prometheus.lines(query)]
    free = iter(COLOURS * 3)
    colours = [KNOWN.get(label) or next(free) for label, _, _ in lines]
    if panel.kind == "stacked":
        _stack(axes, lines, colours)
    else:
        for (label, times, values), colour in zip(lines, colours, strict=True):
            axes.plot(_moments(times), values, color=colour, linewidth=1.5, label=label)
    axes.set_ylim(0, 1.08 * axes.get_ylim()[1])
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    if not any(values.any() for _, _, values in lines):
        axes.set_ylim(0, 1)
    axes.set_facecolor("#fcfcfd")
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=8, length=0)
    axes.spines[:].set_visible(False)
    axes.xaxis.set_major_locator(MinuteLocator())
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _shown(value, panel.unit)))
    if lines:
        longest = max(len(label) for label, _, _ in lines)
        columns = max(1, min(4, int(panel.width * LETTERS_PER_COLUMN / (longest + 4))))
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(-0.08, -0.1),
            ncols=columns,
            fontsize=7.5,
            frameon=False,
            labelcolor=MUTED,
            handlelength=1.2,
            columnspacing=1.0,
            labelspacing=0.25,
        )


def _stack(axes: Axes, lines: list[Line], colours: list[str]) -> None:
    """Areas on one another; a series that is not there counts as nothing."""
    if not lines:
        return
    began = min(each[0] for _, each, _ in lines)
    ended = max(each[-1] for _, each, _ in lines)
    times = np.arange(began, ended + STEP_S / 2, STEP_S)
    rows = [np.zeros(len(times)) for _ in lines]
    for row, (_, each, values) in zip(rows, lines, strict=True):
        row[np.rint((each - began) / STEP_S).astype(int)] = values
    labels = [label for label, _, _ in lines]
    axes.stackplot(_moments(times), rows, labels=labels, colors=colours, alpha=0.75, linewidth=0)


def _moments(times: np.ndarray) -> list[datetime]:
    return [datetime.fromtimestamp(each, UTC) for each in times]


def _legend(query: Query, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), query.legend)


def _shown(value: float, unit: str) -> str:
    if np.isnan(value):
        return "no data"
    match unit:
        case "percentunit":
            return f"{value:.0%}" if value in {0, 1} else f"{value:.1%}".replace(".0%", "%")
        case "s":
            return f"{value:.3g} s" if value >= 1 or value == 0 else f"{value * 1000:.3g} ms"
        case "decbytes":
            return f"{value / 1e6:,.0f} MB"
        case "reqps":
            return f"{value:.3g}/s"
        case _:
            return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - digits


def main() -> None:
    """Run, ask, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of load (default: %(default)s)")
    seconds = parser.parse_args().seconds
    mpl.rcParams["font.family"] = ["DejaVu Sans"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="sluicegate-pictures-") as directory,
        observed_run(Path(directory), seconds) as (url, began, ended),
    ):
        prometheus = Prometheus(url, began, ended)
        for dashboard in DASHBOARDS:
            path = FOLDER / f"{dashboard.name}.png"
            draw(dashboard, prometheus, path)
            print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
