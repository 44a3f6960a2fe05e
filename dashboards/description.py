"""What a dashboard is made of, in words that Grafana and the pictures both understand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

COLUMNS = 24
"""Of Grafana's grid."""
NAMESPACE = 'namespace=~"$namespace"'
RATE = "$__rate_interval"

Kind = Literal["number", "lines", "stacked", "table"]
Unit = Literal["short", "s", "percentunit", "reqps", "decbytes"]


@dataclass(frozen=True, slots=True)
class Query:
    """A line, or a family of lines.

    In `text`, an `@` among a selector's labels stands for the chosen namespace, and `[#]` for a range that suits the
    resolution.
    """

    text: str
    legend: str = ""
    """With `{{label}}` where a label's value goes."""

    @property
    def expr(self) -> str:
        """PromQL with Grafana's variables in it."""
        return " ".join(self.text.split()).replace("@", NAMESPACE).replace("[#]", f"[{RATE}]")


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    queries: tuple[Query, ...]
    about: str = ""
    kind: Kind = "lines"
    unit: Unit = "short"
    width: int = 8
    height: int = 8
    good_below: float | None = None
    """A number is green below this, red from there on."""
    good_from: float | None = None
    """A number is green from here on, red below."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page."""

    name: str
    """Of its file; also its id in Grafana, so that a link to it stays."""
    title: str
    about: str
    rows: tuple[Row, ...]

    def placed(self) -> Iterator[tuple[Row | Panel, int, int]]:
        """Rows and panels with their place in the grid: column and line, from the top left."""
        line = 0
        for row in self.rows:
            yield row, 0, line
            line, column, height = line + 1, 0, 0
            for panel in row.panels:
                if column + panel.width > COLUMNS:
                    line, column, height = line + height, 0, 0
                yield panel, column, line
                column, height = column + panel.width, max(height, panel.height)
            line += height


def number(title: str, text: str, about: str = "", **more: object) -> Panel:
    """A panel with one number, large."""
    settings: dict[str, object] = {"width": 4, "height": 4} | more
    return Panel(title, (Query(text),), about, "number", **settings)  # type: ignore[arg-type] # by name


def quantiles(
    metric: str, selector: str = "", by: str = "", points: tuple[float, ...] = (0.5, 0.95)
) -> tuple[Query, ...]:
    """Quantiles of a histogram over the processes that show it."""
    matchers = f"@,{selector}" if selector else "@"
    labels, legend = (f"le, {by}", f"{{{{{by}}}}} ") if by else ("le", "")
    return tuple(
        Query(
            f"histogram_quantile({point}, sum by ({labels}) (rate({metric}_bucket{{{matchers}}}[#])))",
            f"{legend}p{point * 100:g}",
        )
        for point in points
    )
