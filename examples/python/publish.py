"""Publish an upload by reference: python publish.py BOOTSTRAP_SERVERS UPLOAD_ID URI [TOPIC]."""

import asyncio
import sys

from sluicegate_producer import About, UploadPublisher


async def main(bootstrap_servers: str, upload_id: str, uri: str, topic: str = "sluicegate.uploads") -> None:
    async with UploadPublisher(bootstrap_servers, topic=topic, source="//example.com/shop") as publisher:
        receipt = await publisher.publish_uri(uri, About(upload_id=upload_id, surface="listing"))
    print(f"published {receipt.upload_id}")


asyncio.run(main(*sys.argv[1:]))
