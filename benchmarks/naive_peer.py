"""The naive peer: an aiokafka loop around Hugging Face's `pipeline(batch_size=8)`, as its documentation shows it.

Nothing in it is made slower than somebody would write it: records are taken eight at a time, the images are given to
the pipeline together, and the verdicts of a batch are sent together.
"""

import argparse
import asyncio
import json
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from PIL import Image
from transformers import pipeline

BATCH = 8


async def main(arguments: argparse.Namespace) -> None:
    """Judge uploads until the process is ended."""
    classify = pipeline("image-classification", model=arguments.model)
    consumer = AIOKafkaConsumer(
        arguments.uploads,
        bootstrap_servers=arguments.brokers,
        group_id="naive-peer",
        auto_offset_reset="earliest",
        session_timeout_ms=arguments.session_timeout_ms,
    )
    producer = AIOKafkaProducer(bootstrap_servers=arguments.brokers)
    await consumer.start()
    await producer.start()
    while True:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=BATCH)).values():
            uploads = [json.loads(record.value) for record in records]
            answers = classify([opened(upload) for upload in uploads], batch_size=BATCH)
            sent = [
                await producer.send(arguments.verdicts, verdict(upload, answer), upload["upload_id"].encode())
                for upload, answer in zip(uploads, answers, strict=True)
            ]
            await asyncio.gather(*sent)


def opened(upload: dict[str, Any]) -> Image.Image:
    """The image that an upload names."""
    return Image.open(url2pathname(urlsplit(upload["image"]["uri"]).path)).convert("RGB")


def verdict(upload: dict[str, Any], answer: list[dict[str, Any]]) -> bytes:
    """A verdict's record."""
    scores = {entry["label"]: entry["score"] for entry in answer}
    decision = "rejected" if scores["nsfw"] > 0.5 else "approved"  # noqa: PLR2004 - the naive threshold
    event = {key: upload[key] for key in ("upload_id", "uploaded_at")} | {"decision": decision, "scores": scores}
    return json.dumps(event).encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--uploads", required=True)
    parser.add_argument("--verdicts", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--session-timeout-ms", type=int, default=10000)
    asyncio.run(main(parser.parse_args()))
