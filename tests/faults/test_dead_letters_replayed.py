"""Dead letters go back to where they came from, as they were, and end as they would have."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from load import DEAD_LETTER, POLICY, Upload, headers, picture, uploads
from play import playing
from stage import Stage
from world import World

from kafka_state import eventually, records

LATER = """
  later:
    extends: default
"""
COUNT = 30


def of_a_policy_to_come(number: int) -> Upload:
    upload_id = f"later-{number:03}"
    marked = (*headers(upload_id, b"image/png"), ("ce_policy", b"later"), ("x-twice", b"\xfe"), ("x-twice", b""))
    return Upload(upload_id, picture(number), marked, DEAD_LETTER)


@pytest.mark.embedded_will_do
async def test_what_is_replayed_is_what_was_published_and_is_judged_once_the_cause_is_mended(
    stage: Stage, tmp_path: Path
):
    limit = {"SLUICEGATE_DELIVERY__DEAD_LETTER_MAX_SHARE": "1"}
    async with playing(stage, tmp_path, **limit) as made:
        await made.publish([of_a_policy_to_come(number) for number in range(COUNT)])
        await made.publish(each for each in uploads(3, 30, poison=0.0) if each.state != DEAD_LETTER)

        async def buried() -> bool:
            letters = await records(made.direct, made.topics.dead_letters)
            return {b"later-%03d" % number for number in range(COUNT)} <= {letter.key for letter in letters}

        await eventually(buried, 30, made.logs)
        published = [each for each in await records(made.direct, made.topics.uploads) if b"later" in each.key]

        await made.end(made.first("consume"))
        Path(made.settings["SLUICEGATE_POLICY_FILE"]).write_text(POLICY + LATER)
        said = await asyncio.to_thread(replay, made)
        assert f"sent {COUNT}" in said
        replayed = [each for each in await records(made.direct, made.topics.uploads) if b"later" in each.key]
        assert sorted(map(as_it_is, published * 2)) == sorted(map(as_it_is, replayed))

        made.start("consume")

        async def judged() -> bool:
            return COUNT <= sum(upload_id.startswith("later") for upload_id, _ in await made.verdicts())

        await eventually(judged, 30, made.logs)
        final = [json.loads(each.value) for each in await records(made.direct, made.topics.verdicts)]
        assert {"approved"} == {each["decision"] for each in final if each["upload_id"].startswith("later")}


def replay(made: World) -> str:
    command = [sys.executable, "-m", "sluicegate_consumer.commands", "dead-letters", "replay", "--all", "--yes"]
    chosen = ["--topic", made.topics.uploads]
    environment = made.first("consume").environment
    ended = subprocess.run(
        [*command, *chosen], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == ended.returncode, ended.stderr
    return ended.stdout


def as_it_is(record) -> tuple:
    return record.key, record.value, tuple(record.headers), record.timestamp
