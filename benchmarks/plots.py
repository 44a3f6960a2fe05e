"""Figures as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from figures import Figures
from load_curve import Curve
from trial import Latency

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS, LIMIT, PEERS = "#0f766e", "#94a3b8", ("#f59e0b", "#b45309")
WAITS = ("#0f766e", "#38bdf8", "#7c3aed", "#db2777")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e2e8f0",
    "axes.edgecolor": "#94a3b8",
    "svg.hashsalt": "sluicegate",
    "svg.fonttype": "path",
}


def draw(figures: Figures, folder: Path) -> list[Path]:
    """Every picture that there are figures for, each as SVG and as PNG; gives the SVGs."""
    made = []
    with mpl.rc_context(STYLE):
        if figures.full:
            made.append(_save(full_load(figures), folder / "full-load"))
        if figures.curves:
            made.append(_save(latency_against_load(figures.curves), folder / "latency-against-load"))
        if figures.scale:
            made.append(_save(processes_and_partitions(figures), folder / "scale"))
        if figures.overhead:
            made.append(_save(overhead_by_stage(figures), folder / "overhead"))
    return made


def full_load(figures: Figures) -> Figure:
    """A panel for each case, as models differ a hundredfold."""
    figure = Figure(figsize=(9, 1.1 + 2.1 * len(figures.full)), layout="constrained")
    panels = figure.subplots(len(figures.full), squeeze=False)[:, 0]
    for panel, full in zip(panels, figures.full, strict=True):
        bars = [("limit, each alone", full.slower_per_s, LIMIT), ("limit, cores shared", full.shared_per_s, LIMIT)]
        if full.naive:
            bars.append(("naive peer", full.naive.per_s, PEERS[0]))
        bars.append(("afternoon peer", full.afternoon_per_s, PEERS[1]))
        if full.afternoon_exact_per_s:
            bars.append(("afternoon peer, exact", full.afternoon_exact_per_s, PEERS[1]))
        bars.append(("sluicegate", full.ours_per_s, OURS))
        names, values, colours = zip(*reversed(bars), strict=True)
        drawn = panel.barh(names, values, color=colours, height=0.7)
        panel.bar_label(drawn, fmt="%.1f", padding=4)
        panel.set_title(full.name, loc="left", fontweight="bold")
        panel.grid(visible=False, axis="y")
        panel.margins(x=0.08)
    panels[-1].set_xlabel("events per second, from the upload topic to acknowledged verdicts")
    return figure


def latency_against_load(curves: Sequence[Curve]) -> Figure:
    """Left the median, right the 99th percentile, both on one logarithmic scale."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    ours = [curve for curve in curves if curve.name == "sluicegate"]
    for panel, title in ((left, "median"), (right, "99th percentile")):
        for colour, curve in zip(WAITS, ours, strict=False):
            _line(panel, curve, title, colour, "-")
        for curve in curves:
            if curve not in ours:
                _line(panel, curve, title, PEERS[1], "--")
        panel.set_title(f"{title}, upload to verdict", loc="left", fontweight="bold")
        panel.set_xlabel("load, % of capacity")
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        panel.yaxis.set_minor_formatter(lambda value, _: f"{value:,.0f}" if f"{value:.0e}"[0] in "25" else "")
    left.set_ylabel("milliseconds")
    figure.legend(*left.get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=len(curves))
    return figure


def _line(panel: "Axes", curve: Curve, title: str, colour: str, style: str) -> None:
    def value(point: Latency) -> float:
        return 1000 * (point.p50_s if title == "median" else point.p99_s)

    kind = "timer" if curve.name == "afternoon peer" else "wait"
    panel.plot(
        [100 * share for share in curve.shares],
        [value(point) for point in curve.points],
        style,
        color=colour,
        marker="o",
        markersize=4,
        label=f"{curve.name}, {kind} {curve.wait_s * 1000:.0f} ms",
    )


def processes_and_partitions(figures: Figures) -> Figure:
    """Events per second by partitions, one line for each way to deploy."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    panel = figure.subplots()
    ways = dict.fromkeys((each.processes, each.cores_each) for each in figures.scale)
    for colour, (processes, cores) in zip((OURS, *WAITS[1:]), ways, strict=False):
        mine = [each for each in figures.scale if (each.processes, each.cores_each) == (processes, cores)]
        words = f"{processes} process{'es' * (processes > 1)} with {cores} core{'s' * (cores > 1)}"
        label = words + (" each" if processes > 1 else "")
        panel.plot(
            [str(each.partitions) for each in mine],
            [each.throughput.per_s for each in mine],
            "o-",
            color=colour,
            label=label,
        )
    panel.set_xlabel("partitions")
    panel.set_ylabel("events per second")
    panel.set_ylim(bottom=0)
    panel.legend(frameon=False, loc="lower right")
    return figure


def overhead_by_stage(figures: Figures) -> Figure:
    """One stacked bar for each composition."""
    figure = Figure(figsize=(9, 1.6 + 0.7 * len(figures.overhead)), layout="constrained")
    panel = figure.subplots()
    stages = list(dict.fromkeys(stage for each in figures.overhead.values() for stage in each.stages))
    colours = mpl.colormaps["tab20"].colors  # type: ignore[attr-defined]
    for number, stage in enumerate(stages):
        lefts = [sum(each.stages.get(before, 0) for before in stages[:number]) for each in figures.overhead.values()]
        widths = [each.stages.get(stage, 0) for each in figures.overhead.values()]
        panel.barh(list(figures.overhead), widths, left=lefts, color=colours[number % len(colours)], label=stage)
    panel.axvline(150, color="#334155", linestyle=":", linewidth=1)
    panel.set_xlabel("microseconds of CPU for one event, outside fetching, decoding and the model (goal: 150)")
    panel.grid(visible=False, axis="y")
    figure.legend(frameon=False, loc="outside lower center", ncols=4, fontsize=9)
    return figure


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path.with_suffix(".png"), dpi=160, facecolor="white")
    figure.savefig(path.with_suffix(".svg"), facecolor="white", metadata={"Date": None})
    return path.with_suffix(".svg")
