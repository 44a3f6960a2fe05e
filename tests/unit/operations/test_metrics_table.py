"""The table of metrics is generated, and a table that lags behind is noticed."""

from pathlib import Path

from sluicegate_consumer.operations.metrics_catalogue import CATALOGUE
from sluicegate_consumer.operations.metrics_table import main, metrics_table

COMMITTED = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_committed_table_is_what_the_catalogue_says():
    assert 0 == main(["--check", str(COMMITTED)])


def test_a_table_that_differs_is_reported_and_left_alone(tmp_path, capsys):
    path = tmp_path / "metrics.md"
    path.write_text("old\n")
    assert 1 == main(["--check", str(path)])
    assert "old\n" == path.read_text()
    assert "differs from the catalogue" in capsys.readouterr().err
    assert (0, 0) == (main([str(path)]), main(["--check", str(path)]))


def test_every_metric_has_one_row_with_its_kind_and_the_values_of_its_labels():
    rows = [line for line in metrics_table().splitlines() if line.startswith("| `")]
    assert len(CATALOGUE) == len(rows) == len({row.split("`")[1] for row in rows})
    row = next(row for row in rows if row.startswith("| `sluicegate_commits_total`"))
    assert "| counter | `result`: `accepted`, `refused` |" in row
