"""A real server of the S3 API, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from moto.server import ThreadedMotoServer

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "aws_region": "us-east-1"}


@dataclass(frozen=True)
class S3:
    """Where it listens, and how to fill it."""

    url: str

    @property
    def store_options(self) -> dict[str, str]:
        """For the setting `fetch.store_options`."""
        return CREDENTIALS | {"aws_endpoint": self.url, "aws_virtual_hosted_style_request": "false"}

    def put(self, bucket: str, key: str, data: bytes) -> str:
        """Store an object, its bucket too; its URI."""
        signed = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
        httpx.put(f"{self.url}/{bucket}", headers=signed).raise_for_status()
        httpx.put(f"{self.url}/{bucket}/{key}", content=data, headers=signed).raise_for_status()
        return f"s3://{bucket}/{key}"


@contextmanager
def s3_server() -> Iterator[S3]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()
