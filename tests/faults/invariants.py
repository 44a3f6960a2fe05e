"""What must hold after whatever happened, found out from the topics and the offsets alone.

I1  every acknowledged upload ends in exactly one final state
I2  one verdict per id after de-duplication, its copies saying the same; copies are at most what was in flight
I3  a committed offset never passes the lowest offset without an output
I4  commits are monotone
I5  dead letters are exactly the poison, byte for byte
I6  nothing is left to do: every group has committed to the end
I8  the final state is that of a run without faults
(I7, bounds of memory and time, is measured where processes are watched.)

No code of the services is used here.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from load import DEAD_LETTER, Upload

Record = Any
"""As aiokafka's consumer gives it."""


@dataclass
class Ending:
    """What the topics say of one upload id."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    letters: list[Record] = field(default_factory=list)


@dataclass
class Findings:
    """What does not hold, by invariant; empty where all does."""

    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    copies: int = 0
    """Outputs that were written more than once."""

    def note(self, invariant: str, what: str) -> None:
        self.broken[invariant].append(what)


def examine(
    published: Iterable[Upload],
    verdicts: Iterable[Record],
    dead_letters: Iterable[Record],
    *,
    unknown: frozenset[str] = frozenset(),
    most_copies: int,
) -> Findings:
    """Compare what was published with what came out.

    Args:
        published: Uploads that the broker acknowledged.
        verdicts: All records of the verdict topic.
        dead_letters: All records of the dead-letter topic.
        unknown: Ids of uploads of which nobody knows whether the broker has them: they may be there or not.
        most_copies: Outputs that may have been written more than once: what was in flight at all faults together.
    """
    findings = Findings()
    endings: defaultdict[str, Ending] = defaultdict(Ending)
    for record in verdicts:
        endings[record.key.decode()].verdicts.append(json.loads(record.value))
    for record in dead_letters:
        endings[record.key.decode()].letters.append(record)
    by_id = {upload.upload_id: upload for upload in published}
    for upload in by_id.values():
        _examine_upload(upload, endings[upload.upload_id], findings)
    for stray in endings.keys() - by_id.keys() - unknown:
        if endings[stray].verdicts or endings[stray].letters:
            findings.note("I1", f"{stray}: an output of what was never published")
    if findings.copies > most_copies:
        findings.note("I2", f"{findings.copies} copies, at most {most_copies} were in flight")
    return findings


def _examine_upload(upload: Upload, ending: Ending, findings: Findings) -> None:
    distinct = {verdict["verdict_id"]: verdict for verdict in reversed(ending.verdicts)}
    findings.copies += len(ending.verdicts) - len(distinct)
    for verdict in ending.verdicts:
        if _said(verdict) != _said(distinct[verdict["verdict_id"]]):
            findings.note("I2", f"{upload.upload_id}: copies of {verdict['verdict_id']} that differ")
    places = Counter(_place(letter) for letter in ending.letters)
    findings.copies += sum(places.values()) - len(places)
    for letter in ending.letters:
        as_it_was = (upload.key, upload.value, upload.headers)
        if as_it_was != (letter.key, letter.value, tuple(letter.headers[: len(upload.headers)])):
            findings.note("I5", f"{upload.upload_id}: a dead letter that is not what was published")
    if (upload.state == DEAD_LETTER) != bool(places):
        findings.note("I5", f"{upload.upload_id}: {len(places)} dead letters, should be {upload.state}")
    revisions = sorted(verdict["revision"] for verdict in distinct.values())
    if list(range(1, upload.tiers + 1)) != revisions:
        findings.note("I1", f"{upload.upload_id}: verdicts of revisions {revisions}, {upload.tiers} were due")
    elif revisions:
        final = max(distinct.values(), key=lambda verdict: verdict["revision"])
        if final["decision"] != upload.state:
            findings.note("I8", f"{upload.upload_id}: {final['decision']} {final['reasons']}, should be {upload.state}")


def _said(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """All that does not depend on when and how fast it was decided."""
    return {name: value for name, value in verdict.items() if name not in {"timings", "decided_at"}}


def _place(letter: Record) -> tuple[bytes, ...]:
    headers = dict(letter.headers)
    return tuple(headers[f"__connect.errors.{name}"] for name in ("topic", "partition", "offset"))


def require_outputs_behind_commits(
    committed: Mapping[int, int | None],
    uploads: Iterable[Record],
    answered: frozenset[str],
    findings: Findings,
) -> None:
    """I3, at one moment: everything before a committed offset has an output.

    Args:
        committed: Partition to offset, read first.
        uploads: Records of the upload topic.
        answered: Upload ids with an output, read afterwards.
    """
    for record in uploads:
        if record.offset < (committed.get(record.partition) or 0) and record.key.decode() not in answered:
            findings.note("I3", f"partition {record.partition} offset {record.offset} is committed without an output")


def require_monotone(history: Iterable[tuple[Any, int]], findings: Findings) -> None:
    """I4: no group's offset of a partition ever goes back.

    Args:
        history: (group, topic, partition) and offset of each commit, in order.
    """
    latest: dict[Any, int] = {}
    for where, offset in history:
        if offset < latest.get(where, 0):
            findings.note("I4", f"{where}: from {latest[where]} back to {offset}")
        latest[where] = offset
