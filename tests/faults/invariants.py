"""What must hold after whatever happened, found out from the topics and the offsets alone.

I1  every acknowledged upload ends in exactly one final state; what is a human's is in the review topic
I2  one verdict per id after de-duplication, its copies saying the same; copies are at most what was in flight
I3  a committed offset never passes the lowest offset without an output, in either tier
I4  commits are monotone
I5  dead letters are exactly the poison, byte for byte
I6  nothing is left to do: every group has committed to the end
I7  memory and the time that a shutdown takes stay within their bounds (measured where processes are watched)
I8  the final state is that of a run without faults

No code of the services is used here; tests/faults/test_invariants.py holds this to it, and breaks each one.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from load import DEAD_LETTER, Upload

Record = Any
"""As aiokafka's consumer gives it."""
NAMES = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8")
FIRST, SECOND = "consume", "escalate"


class Topic(NamedTuple):
    """What a tier reads."""

    name: str
    second_tier: bool = False


@dataclass
class Ending:
    """What the topics say of one upload id."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    letters: list[Record] = field(default_factory=list)
    reviews: int = 0


@dataclass
class Findings:
    """What does not hold, by invariant; empty where all does."""

    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    copies: Counter[str] = field(default_factory=Counter)
    """Outputs that were written more than once, by the command that wrote them."""

    def note(self, invariant: str, what: str) -> None:
        self.broken[invariant].append(what)


def examine(
    published: Iterable[Upload],
    verdicts: Iterable[Record],
    dead_letters: Iterable[Record],
    *,
    escalations: Collection[Record],
    reviews: Iterable[Record],
    uploads_topic: str,
    unknown: frozenset[str] = frozenset(),
    allowed_copies: Mapping[str, int],
) -> Findings:
    """Compare what was published with what came out.

    Args:
        published: Uploads that the broker acknowledged.
        verdicts: All records of the verdict topic.
        dead_letters: All records of the dead-letter topic.
        escalations: All records of the escalation topic.
        reviews: All records of the review topic.
        uploads_topic: Its name, as dead letters have it.
        unknown: Ids of uploads of which nobody knows whether the broker has them: they may be there or not.
        allowed_copies: Outputs that each command may have written more than once: what was in flight in its processes
            at the faults that met them.
    """
    findings = Findings()
    endings: defaultdict[str, Ending] = defaultdict(Ending)
    for record in verdicts:
        endings[record.key.decode()].verdicts.append(json.loads(record.value))
    for record in dead_letters:
        endings[record.key.decode()].letters.append(record)
    for record in reviews:
        endings[record.key.decode()].reviews += 1
    by_id = {upload.upload_id: upload for upload in published}
    for upload in by_id.values():
        _examine_upload(upload, endings[upload.upload_id], uploads_topic, findings)
    for stray in endings.keys() - by_id.keys() - unknown:
        if endings[stray].verdicts or endings[stray].letters:
            findings.note("I1", f"{stray}: an output of what was never published")
    _bound_copies(findings, allowed_copies, escalations)
    return findings


def _bound_copies(findings: Findings, allowed: Mapping[str, int], escalations: Collection[Record]) -> None:
    """I2: an escalation that was written twice is answered twice, without any fault of the second tier's."""
    asked_again = len(escalations) - len({record.key for record in escalations})
    most = {FIRST: allowed.get(FIRST, 0), SECOND: allowed.get(SECOND, 0) + asked_again}
    for command, copies in findings.copies.items():
        if copies > most[command]:
            findings.note("I2", f"{copies} copies of what {command} wrote, at most {most[command]} were in flight")


def _examine_upload(upload: Upload, ending: Ending, uploads_topic: str, findings: Findings) -> None:
    distinct = {verdict["verdict_id"]: verdict for verdict in reversed(ending.verdicts)}
    _examine_copies(upload, ending, distinct, uploads_topic, findings)
    for letter in ending.letters:
        as_it_was = (upload.key, upload.value, upload.headers)
        if as_it_was != (letter.key, letter.value, tuple(letter.headers[: len(upload.headers)])):
            findings.note("I5", f"{upload.upload_id}: a dead letter that is not what was published")
    if (upload.state == DEAD_LETTER) != bool(ending.letters):
        findings.note("I5", f"{upload.upload_id}: {len(ending.letters)} dead letters, should be {upload.state}")
    revisions = sorted(verdict["revision"] for verdict in distinct.values())
    if list(range(1, upload.tiers + 1)) != revisions:
        findings.note("I1", f"{upload.upload_id}: verdicts of revisions {revisions}, {upload.tiers} were due")
    elif revisions:
        final = max(distinct.values(), key=lambda verdict: verdict["revision"])
        if final["decision"] != upload.state:
            findings.note("I8", f"{upload.upload_id}: {final['decision']} {final['reasons']}, should be {upload.state}")
        if (final["decision"] == "review") != (ending.reviews > 0):
            findings.note("I1", f"{upload.upload_id}: {final['decision']}, and {ending.reviews} humans were asked")


def _examine_copies(
    upload: Upload, ending: Ending, distinct: Mapping[str, Mapping[str, Any]], uploads_topic: str, findings: Findings
) -> None:
    """I2: count them, and see that they say the same."""
    for verdict in ending.verdicts:
        if _said(verdict) != _said(distinct[verdict["verdict_id"]]):
            findings.note("I2", f"{upload.upload_id}: copies of {verdict['verdict_id']} that differ")
    written = Counter((verdict["verdict_id"], _tier(verdict["revision"])) for verdict in ending.verdicts)
    written += Counter((_place(letter), _tier_of_letter(letter, uploads_topic)) for letter in ending.letters)
    for (_, command), times in written.items():
        if times > 1:
            findings.copies[command] += times - 1


def _tier(revision: int) -> str:
    return FIRST if revision == 1 else SECOND


def _tier_of_letter(letter: Record, uploads_topic: str) -> str:
    return FIRST if _place(letter)[0] == uploads_topic.encode() else SECOND


def _said(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """All that does not depend on when and how fast it was decided."""
    return {name: value for name, value in verdict.items() if name not in {"timings", "decided_at"}}


def _place(letter: Record) -> tuple[bytes, ...]:
    headers = dict(letter.headers)
    return tuple(headers[f"__connect.errors.{name}"] for name in ("topic", "partition", "offset"))


def require_outputs_behind_commits(
    committed: Mapping[int, int | None],
    read: Iterable[Record],
    outputs: Iterable[Record],
    findings: Findings,
    topic: Topic,
) -> None:
    """I3, at one moment: everything before a committed offset has an output.

    Args:
        committed: Partition to offset, read first.
        read: Records of the topic that the tier reads.
        outputs: Records of the verdict and dead-letter topics, read afterwards.
        findings: Where to note what does not hold.
        topic: Which one it is; the second tier's output of an upload is another than the first tier's.
    """
    answered = {record.key for record in outputs if _answers(record, topic)}
    for record in read:
        if record.offset < (committed.get(record.partition) or 0) and record.key not in answered:
            where = f"{topic.name}[{record.partition}] offset {record.offset}"
            findings.note("I3", f"{where} is committed without an output")


def _answers(record: Record, topic: Topic) -> bool:
    if any(name.startswith("__connect.errors.") for name, _ in record.headers):
        return bool(_place(record)[0] == topic.name.encode())
    return bool((json.loads(record.value)["revision"] > 1) == topic.second_tier)


def require_monotone(history: Iterable[tuple[Any, int]], findings: Findings) -> None:
    """I4: no group's offset of a partition ever goes back.

    Args:
        history: (group, topic, partition) and offset of each commit, in order.
        findings: Where to note what does not hold.
    """
    latest: dict[Any, int] = {}
    for where, offset in history:
        if offset < latest.get(where, 0):
            findings.note("I4", f"{where}: from {latest[where]} back to {offset}")
        latest[where] = offset
