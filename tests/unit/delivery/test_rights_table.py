"""The document of rights is generated, and one that lags behind is noticed."""

from pathlib import Path

from sluicegate_consumer.delivery.rights import ROLES
from sluicegate_consumer.delivery.rights_table import main, rights_table

COMMITTED = Path(__file__).parents[3] / "docs" / "kafka-rights.md"


def test_the_committed_document_is_what_the_rights_say():
    assert main(["--check", str(COMMITTED)]) == 0


def test_a_document_that_differs_is_reported_and_left_alone(tmp_path, capsys):
    path = tmp_path / "kafka-rights.md"
    path.write_text("old\n")
    assert main(["--check", str(path)]) == 1
    assert path.read_text() == "old\n"
    assert "differs from the rights" in capsys.readouterr().err
    assert main([str(path)]) == 0
    assert main(["--check", str(path)]) == 0


def test_every_role_has_a_section_and_topics_have_their_default_names():
    document = rights_table()
    assert [role.name for role in ROLES] == [
        line.removeprefix("## ") for line in document.splitlines() if line.startswith("## ")
    ][:-1]
    assert "| Write | topic `sluicegate.verdicts`, `sluicegate.reviews` | what it decides |" in document
    assert "--operation Read --group sluicegate-consumer" in document
