"""Writes `docs/metrics.md` from the catalogue: `python -m sluicegate_consumer.operations.metrics_table`.

With `--check` nothing is written: the exit code is 1 where the file is not what would be written.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from sluicegate_consumer.operations.generated import write_or_check
from sluicegate_consumer.operations.metrics_catalogue import CATALOGUE, Label, Metric, Service

TABLE = Path("docs/metrics.md")

HEAD = """# Metrics

Generated from `operations/metrics_catalogue.py` by `python -m sluicegate_consumer.operations.metrics_table`.

Each service serves its own at `/metrics` of `observability.endpoint_host` and `observability.endpoint_port`. Names are
as Prometheus shows them: a counter ends with `_total`; a histogram has `_bucket`, `_sum` and `_count`. Series whose
labels have known values are there from the start, at zero.

The share of images that the first tier decided alone is derived, as the recording rule
`sluicegate:tier_one_share:ratio15m` of `helm/sluicegate/files/alerts.yaml` does:

```
1 - sum(rate(sluicegate_verdicts_total{stage="classifier",decision="escalated"}[15m]))
  / sum(rate(sluicegate_verdicts_total{stage="classifier"}[15m]))
```

Beside these stand the process's own, `sluicegate_process_*`: `cpu_seconds_total`, `resident_memory_bytes`,
`virtual_memory_bytes`, `open_fds`, `max_fds` and `start_time_seconds`. They count the service itself, not the
processes that decode for it.
"""
COLUMNS = "| metric | kind | labels | meaning |\n| --- | --- | --- | --- |"
SECTIONS: dict[Service, str] = {
    "both": "Both services",
    "consume": "The first tier: `consume`",
    "escalate": "The second tier: `escalate`",
}


def metrics_table(catalogue: Iterable[Metric] = CATALOGUE) -> str:
    """The whole document, Markdown; one table for both services and one for each."""
    metrics = tuple(catalogue)
    return HEAD + "".join(
        f"\n## {heading}\n\n{COLUMNS}\n" + "".join(_row(metric) for metric in metrics if metric.service == service)
        for service, heading in SECTIONS.items()
    )


def _row(metric: Metric) -> str:
    name = metric.name if metric.kind == "histogram" else metric.shown[0]
    cells = (f"`{name}`", metric.kind, "; ".join(map(_label, metric.labels)), metric.help)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _label(label: Label) -> str:
    values = ", ".join(f"`{value}`" for value in label.values)
    said = ": ".join(part for part in (label.meaning, values) if part)
    return f"`{label.name}`: {said}"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the table; gives the exit code."""
    return write_or_check(
        arguments,
        text=metrics_table(),
        path=TABLE,
        source="the catalogue",
        module=__spec__.name,
        description=__doc__,
    )


if __name__ == "__main__":
    sys.exit(main())
