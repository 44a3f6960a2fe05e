"""Keep the verdict that holds for each upload: python subscribe.py BOOTSTRAP_SERVERS [TOPIC]."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer

from sluicegate_schemas import Decision, Message, Verdict, read_verdict, supersedes

holding: dict[str, Verdict] = {}


def may_be_shown(upload_id: str, sha256: str) -> bool:
    """Whether an image was approved: this very image, not another one under the same id."""
    verdict = holding.get(upload_id)
    return verdict is not None and verdict.decision is Decision.APPROVED and verdict.image.sha256 == sha256


async def main(bootstrap_servers: str, topic: str = "sluicegate.verdicts") -> None:
    # Without a group: every instance reads the whole compacted topic, and so knows every upload.
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async for record in consumer:
            upload_id = record.key.decode()
            if record.value is None:
                holding.pop(upload_id, None)
                print(f"{upload_id} erased", flush=True)
                continue
            verdict = read_verdict(Message(record.key, record.value, tuple(record.headers), record.timestamp))
            if supersedes(verdict, holding.get(upload_id)):
                holding[upload_id] = verdict
                print(f"{upload_id} {verdict.decision} {verdict.image.sha256}", flush=True)
    finally:
        await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
