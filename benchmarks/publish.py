"""Writing down what was found: JSON, tables and pictures, and from there into `docs/`.

python benchmarks/publish.py bench-report    # copy the last run's tables and pictures into docs/
"""

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

import report
from figures import Figures

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("performance.md", "scaling.md", "operations.md")
MARKED = re.compile(
    r"(?P<begin><!-- (?P<name>[a-z-]+): written by make bench-docs -->\n)(?P<text>.*?)(?P<end><!-- end -->)", re.DOTALL
)


def fragments(figures: Figures) -> dict[str, str]:
    """Every table that there are figures for, by its name."""
    found = {"machine": machine_text(figures)}
    if figures.full:
        found |= {"full": report.full_table(figures), "engines": report.engine_table(figures)}
        found |= {
            "cpu": report.cpu_table(figures),
            "spent": report.spent_table(figures),
            "devices": report.device_table(figures),
            "sizing": report.sizing_table(figures),
        }
        found |= {"lag": report.lag_table(figures), "needs": report.need_table(figures)}
        found["batch-times"] = "".join(f"- {report.batch_time_text(full)}\n" for full in figures.full)
    if figures.half:
        found["half"] = report.half_table(figures)
    if figures.overhead:
        found["overhead"] = report.overhead_table(figures)
    if figures.losses:
        found["losses"] = report.loss_table(figures)
    if figures.cold_s:
        found["cold"] = report.cold_table(figures)
    if figures.curves:
        found["curves"] = report.curve_table(figures.curves)
    if figures.scale:
        found["scale"] = report.scale_table(figures)
    if figures.sizes:
        found["sizes"] = report.size_table(figures)
    if figures.distances:
        found["distance"] = report.distance_table(figures)
    return found


def machine_text(figures: Figures) -> str:
    """What it ran on."""
    facts = figures.machine
    return (
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory']}, load average before the run "
        f"{facts['load']}; {figures.broker}; commit "
        f"{facts['commit']}; the run took {figures.seconds / 60:.1f} minutes.\n"
    )


def write_report(figures: Figures, folder: Path, console: Console) -> None:
    """JSON, tables and pictures into a folder; the tables onto the terminal too."""
    from plots import draw  # noqa: PLC0415 - brings matplotlib, which only the report needs

    figures.save(folder / "figures.json")
    for name, text in fragments(figures).items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        console.print(Markdown(text))
    draw(figures, folder)
    console.print(f"{folder}: figures.json, tables and pictures", highlight=False)


def inserted(page: str, texts: Mapping[str, str]) -> str:
    """A page with each text between its marks; a text without marks is left out, marks without a text stay."""

    def filled(match: re.Match[str]) -> str:
        return match["begin"] + texts.get(match["name"], match["text"]) + match["end"]

    return MARKED.sub(filled, page)


def publish(folder: Path, docs: Path = DOCS) -> None:
    """Bring the documentation up to date with a report."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    for name in PAGES:
        page = docs / name
        page.write_text(inserted(page.read_text(encoding="utf-8"), texts), encoding="utf-8")
    (docs / "performance").mkdir(exist_ok=True)
    for path in (folder / "figures.json", *folder.glob("*.svg")):
        shutil.copyfile(path, docs / "performance" / path.name)


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
