"""Publishing uploads."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from sluicegate_producer.candidates import (
    image_in,
    reference_to,
    reference_to_file,
    require_fits,
    require_image,
    upload,
)
from sluicegate_producer.errors import NotAcknowledged, NotAnUpload, NotConnected
from sluicegate_producer.names import plainly_shown
from sluicegate_schemas.cloudevents import write
from sluicegate_schemas.events import ImageReference
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

MEBIBYTE = 1024 * 1024
HEADROOM_BYTES = 64 * 1024
"""What key and headers of an inline upload may take beside the image."""
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class About:
    """What a platform says of an upload beside the image itself."""

    upload_id: str | None = None
    """Opaque; a random one is made up if None. Used again, the verdict of the latest upload holds."""
    tenant: str = "default"
    surface: str = "unspecified"
    """Where the image will be seen: `avatar`, `post`, `message`, `listing`, ..."""
    policy: str = "default"
    uploaded_at: datetime | None = None
    """Timezone-aware; now if None."""
    traceparent: str | None = None
    """W3C trace context, carried through to the verdicts."""


NOTHING_SAID = About()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The broker has the upload, on every in-sync replica."""

    upload_id: str
    topic: str
    partition: int
    offset: int


class UploadPublisher:
    """Publishes uploads: an async context manager around an idempotent producer.

        async with UploadPublisher("kafka:9092") as publisher:
            receipt = await publisher.publish_uri("s3://uploads/cat.jpg", About(upload_id="42", surface="post"))

    The `publish_*` methods return when the broker has acknowledged. The `submit_*` methods return once the upload is
    buffered, with a future of its receipt: many may be under way, so throughput is not one round trip each.

    Entering it raises `NotConnected` where no broker answers or lets it in.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        topic: str = Topics().uploads,
        source: str = "sluicegate-producer",
        max_inline_bytes: int = 10 * MEBIBYTE,
        timeout_s: float = 120.0,
        kafka_options: Mapping[str, Any] | None = None,
    ) -> None:
        """See the class.

        Args:
            bootstrap_servers: Brokers as `host:port`, separated by commas.
            topic: The topic of uploads.
            source: CloudEvents source: who uploads.
            max_inline_bytes: Size of the largest image that may travel in its record.
            timeout_s: How long the broker may take to acknowledge an upload.
            kafka_options: Further keyword arguments of aiokafka's producer, for TLS and SASL.
        """
        self._topic = topic
        self._source = source
        self._max_inline_bytes = max_inline_bytes
        self._timeout_s = timeout_s
        self._options: dict[str, Any] = {"bootstrap_servers": bootstrap_servers, **(kafka_options or {})}

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=256 * 1024,
            max_request_size=self._max_inline_bytes + HEADROOM_BYTES,
        )
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._stop()
            raise NotConnected(f"Kafka at {self._options['bootstrap_servers']}: {error!r}") from error
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        # In a task of its own, and not for ever: with the brokers gone, the client's stop does not end.
        stopping = asyncio.create_task(self._producer.stop())
        done, _ = await asyncio.wait({stopping}, timeout=STOP_TIMEOUT_S)
        if not done:
            stopping.cancel()

    async def publish_file(self, path: Path, about: About = NOTHING_SAID, *, inline: bool = False) -> Receipt:
        """Publish a local file: by reference (the consumer sees the same path), or its bytes.

        Raises:
            NotAnUpload: it cannot be an upload; nothing was sent.
            NotAcknowledged: the broker did not confirm it.
        """
        return await (await self.submit_file(path, about, inline=inline))

    async def publish_uri(self, uri: str, about: About = NOTHING_SAID) -> Receipt:
        """Publish a reference to an image in a store; raises as `publish_file` does."""
        return await (await self.submit_uri(uri, about))

    async def publish_bytes(self, image: bytes, about: About = NOTHING_SAID) -> Receipt:
        """Publish an image itself; raises as `publish_file` does."""
        return await (await self.submit_bytes(image, about))

    async def submit_file(
        self, path: Path, about: About = NOTHING_SAID, *, inline: bool = False
    ) -> asyncio.Future[Receipt]:
        """Like `publish_file`, but returns as soon as the upload is buffered."""
        if inline:
            return await self._submit_image(await asyncio.to_thread(image_in, path), about, plainly_shown(str(path)))
        return await self._submit_reference(await asyncio.to_thread(reference_to_file, path), about)

    async def submit_uri(self, uri: str, about: About = NOTHING_SAID) -> asyncio.Future[Receipt]:
        """Like `publish_uri`, but returns as soon as the upload is buffered."""
        return await self._submit_reference(reference_to(uri), about)

    async def submit_bytes(self, image: bytes, about: About = NOTHING_SAID) -> asyncio.Future[Receipt]:
        """Like `publish_bytes`, but returns as soon as the upload is buffered."""
        return await self._submit_image(image, about, "the image")

    async def _submit_image(self, image: bytes, about: About, what: str) -> asyncio.Future[Receipt]:
        media_type = require_image(image, what)
        require_fits(image, self._max_inline_bytes, what)
        return await self._submit(about, None, image, media_type)

    async def _submit_reference(self, image: ImageReference, about: About) -> asyncio.Future[Receipt]:
        return await self._submit(about, image, None, None)

    async def _submit(
        self, about: About, image: ImageReference | None, inline: bytes | None, media_type: str | None
    ) -> asyncio.Future[Receipt]:
        event = upload(
            upload_id=about.upload_id,
            tenant=about.tenant,
            surface=about.surface,
            policy=about.policy,
            uploaded_at=about.uploaded_at,
            image=image,
        )
        message = write(event, source=self._source, inline=inline, media_type=media_type, traceparent=about.traceparent)
        return await self._send(event.upload_id, message)

    async def _send(self, upload_id: str, message: Message) -> asyncio.Future[Receipt]:
        try:
            async with asyncio.timeout(self._timeout_s):
                sent = await self._producer.send(
                    self._topic, key=message.key, value=message.value, headers=list(message.headers)
                )
        except MessageSizeTooLargeError as error:
            raise NotAnUpload(f"upload {upload_id!r} is larger than a record may be: {error}") from error
        except (KafkaError, TimeoutError) as error:
            raise NotAcknowledged(f"upload {upload_id!r} was not sent: {error!r}") from error
        loop = asyncio.get_running_loop()
        receipt: asyncio.Future[Receipt] = loop.create_future()
        # An idempotent producer tries for ever, and says nothing meanwhile.
        expiry = loop.call_later(self._timeout_s, _expire, receipt, upload_id, self._timeout_s)
        receipt.add_done_callback(lambda _: expiry.cancel())
        sent.add_done_callback(lambda done: _resolve(receipt, upload_id, done))
        return receipt


def _expire(receipt: asyncio.Future[Receipt], upload_id: str, timeout_s: float) -> None:
    if not receipt.done():
        receipt.set_exception(NotAcknowledged(f"upload {upload_id!r}: the broker said nothing for {timeout_s:g} s"))


def _resolve(receipt: asyncio.Future[Receipt], upload_id: str, sent: asyncio.Future[Any]) -> None:
    if receipt.done():
        return
    if sent.cancelled():
        receipt.set_exception(NotAcknowledged(f"upload {upload_id!r}: the publisher was closed first"))
    elif (error := sent.exception()) is not None:
        failure = NotAcknowledged(f"upload {upload_id!r}: {error!r}")
        failure.__cause__ = error
        receipt.set_exception(failure)
    else:
        stored = sent.result()
        receipt.set_result(Receipt(upload_id, stored.topic, stored.partition, stored.offset))
