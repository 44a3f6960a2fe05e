"""What docs/privacy.md promises is what the code does."""

from pathlib import Path

from sluicegate_consumer.delivery.provision import DAY_MS, HUMAN_RETENTION_MS, PASSING_RETENTION_MS
from sluicegate_consumer.operations.telemetry import BANISHED, SWITCHES

TEXT = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text()


def test_every_switch_is_named():
    assert all(f"`{name}`" in TEXT for name in (*SWITCHES, *BANISHED))


def test_retentions_are_those_of_the_topics():
    rows = [line.split("|") for line in TEXT.splitlines() if line.startswith("| image, as reference")]
    assert [f"{ms // DAY_MS} days" for ms in (PASSING_RETENTION_MS, HUMAN_RETENTION_MS)] == [
        row[3].strip() for row in rows
    ]
