"""The judge is independent of what it judges, finds nothing where all is well, and finds each thing that is not."""

import ast
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from invariants import Findings, Topic, examine, require_monotone, require_outputs_behind_commits
from load import DEAD_LETTER, Upload

HERE = Path(__file__).parent
JUDGES = [HERE / "invariants.py", HERE / "commit_log.py", HERE / "load.py", HERE.parent / "kafka_state.py"]
OURS = {"sluicegate_consumer", "sluicegate_producer", "sluicegate_schemas"}


@pytest.mark.parametrize("path", JUDGES, ids=lambda path: path.name)
def test_the_judge_shares_no_code_with_what_it_judges(path: Path):
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in imports if isinstance(node, ast.ImportFrom) and node.module}
    assert not {name.partition(".")[0] for name in modules} & OURS


class Written(NamedTuple):
    """A record as a client gives it."""

    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = 0
    offset: int = 0


def verdict(upload_id: str, decision: str, revision: int = 1, **more: Any) -> Written:
    said = {
        "verdict_id": f"{upload_id}-{revision}",
        "upload_id": upload_id,
        "revision": revision,
        "decision": decision,
        "reasons": [],
        "timings": {"total_ms": 1},
        "decided_at": "now",
    }
    return Written(upload_id.encode(), json.dumps(said | more).encode())


def letter(upload: Upload, topic: str = "uploads") -> Written:
    place = {"topic": topic, "partition": "0", "offset": "7"}
    added = tuple((f"__connect.errors.{name}", value.encode()) for name, value in place.items())
    return Written(upload.key, upload.value, upload.headers + added)


UPLOADS = [
    Upload("clear", b"1", (), "approved"),
    Upload("unsure", b"2", (), "approved", tiers=2),
    Upload("odd", b"3", (), "review"),
    Upload("poison", b"{", (("h", b"1"),), DEAD_LETTER, tiers=0),
]
VERDICTS = [
    verdict("clear", "approved"),
    verdict("unsure", "escalated"),
    verdict("unsure", "approved", 2),
    verdict("odd", "review"),
]
LETTERS = [letter(UPLOADS[3])]


def judged(verdicts=VERDICTS, letters=LETTERS, *, published=UPLOADS, escalations=1, reviews=("odd",), allowed=()):
    found = examine(
        published,
        verdicts,
        letters,
        escalations=[Written(b"unsure", b"")] * escalations,
        reviews=[Written(each.encode(), b"") for each in reviews],
        uploads_topic="uploads",
        allowed_copies=dict(allowed),
    )
    return {name for name, lines in found.broken.items() if lines}, found.copies


def test_where_all_is_well_nothing_is_found():
    assert (set(), Counter()) == judged()


@pytest.mark.parametrize(
    ("broken", "changed"),
    [
        ("I1", {"verdicts": VERDICTS[1:]}),
        ("I1", {"verdicts": [*VERDICTS[:2], VERDICTS[3]]}),
        ("I1", {"verdicts": [*VERDICTS, verdict("clear", "approved", 2)]}),
        ("I1", {"verdicts": [*VERDICTS, verdict("nobody's", "approved")]}),
        ("I1", {"reviews": ()}),
        ("I1", {"reviews": ("odd", "clear")}),
        ("I2", {"verdicts": [*VERDICTS, verdict("clear", "approved", reasons=["other"])], "allowed": [("consume", 9)]}),
        ("I2", {"verdicts": [*VERDICTS, VERDICTS[0]]}),
        ("I2", {"verdicts": [*VERDICTS, VERDICTS[2]], "allowed": [("consume", 9)]}),
        ("I2", {"letters": LETTERS * 2}),
        ("I5", {"letters": []}),
        ("I5", {"letters": [*LETTERS, letter(UPLOADS[0])]}),
        ("I5", {"letters": [LETTERS[0]._replace(value=b"[")]}),
        ("I5", {"letters": [LETTERS[0]._replace(headers=LETTERS[0].headers[1:])]}),
        ("I8", {"verdicts": [verdict("clear", "rejected"), *VERDICTS[1:]]}),
    ],
)
def test_each_thing_that_is_wrong_is_found(broken: str, changed: dict[str, Any]):
    assert {broken} == judged(**changed)[0]


def test_as_many_copies_as_were_in_flight_are_allowed_and_counted_for_who_wrote_them():
    twice = [*VERDICTS, VERDICTS[0], VERDICTS[2]]
    expected = Counter(consume=1, escalate=1)
    assert (set(), expected) == judged(twice, allowed=[("consume", 1), ("escalate", 1)])
    # The second tier was asked twice: that it answers twice is no fault of its own.
    assert (set(), expected) == judged(twice, escalations=2, allowed=[("consume", 1)])


def test_copies_that_differ_in_when_they_were_decided_alone_say_the_same():
    later = verdict("clear", "approved", decided_at="later", timings={})
    assert (set(), Counter(consume=1)) == judged([*VERDICTS, later], allowed=[("consume", 1)])


READ = [Written(b"unsure", b"", offset=5), Written(b"clear", b"", offset=9)]


@pytest.mark.parametrize(
    ("committed", "outputs", "second_tier", "holds"),
    [
        (None, [], False, True),
        (5, [], False, True),
        (6, [], False, False),
        (6, [VERDICTS[1]], False, True),
        (10, [VERDICTS[1]], False, False),
        (10, [VERDICTS[1], VERDICTS[0]], False, True),
        (6, [VERDICTS[1]], True, False),
        (6, [VERDICTS[2]], True, True),
        (6, [letter(replace(UPLOADS[3], upload_id="unsure"))], False, True),
        (6, [letter(replace(UPLOADS[3], upload_id="unsure"))], True, False),
    ],
)
def test_a_commit_past_what_has_no_output_is_found(committed, outputs, second_tier, holds):
    findings = Findings()
    topic = Topic("escalations", second_tier=True) if second_tier else Topic("uploads")
    require_outputs_behind_commits({0: committed}, READ, outputs, findings, topic)
    assert holds == ("I3" not in findings.broken)


def test_a_commit_that_goes_back_is_found():
    findings = Findings()
    require_monotone([("a", 3), ("b", 1), ("a", 3), ("a", 9)], findings)
    assert {} == findings.broken
    require_monotone([("a", 3), ("a", 9), ("a", 8)], findings)
    assert ["a: from 9 back to 8"] == findings.broken["I4"]
