"""The table of settings is generated, and a table that lags behind is noticed."""

from pathlib import Path

from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.settings_catalogue import entries
from sluicegate_consumer.operations.settings_table import main, settings_table

COMMITTED = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_committed_table_is_what_the_settings_say():
    assert main(["--check", str(COMMITTED)]) == 0


def test_a_table_that_differs_is_reported_and_left_alone(tmp_path, capsys):
    path = tmp_path / "settings.md"
    assert main(["--check", str(path)]) == 1
    path.write_text("old\n")
    assert main(["--check", str(path)]) == 1
    assert path.read_text() == "old\n"
    assert "differs from the settings" in capsys.readouterr().err
    assert main([str(path)]) == 0
    assert main(["--check", str(path)]) == 0


def test_every_setting_has_one_row_with_its_variable_type_and_default():
    rows = [line for line in settings_table().splitlines() if line.startswith("| `")]
    assert [entry.key for entry in entries(Settings)] == [row.split("`")[1] for row in rows]
    row = next(row for row in rows if row.startswith("| `delivery.dead_letter_max_share`"))
    assert "| `SLUICEGATE_DELIVERY__DEAD_LETTER_MAX_SHARE` | number, over 0, at most 1 | `0.5` |" in row
