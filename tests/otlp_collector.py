"""A real OTLP/HTTP receiver: what it was sent, as the protocol's own messages.

with otlp_collector() as collector:
    ...  # point SLUICEGATE_OBSERVABILITY__OTLP_ENDPOINT at collector.url
    assert [span.name for span in collector.spans()]
"""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector(ThreadingHTTPServer):
    """Takes traces, or answers as it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[tuple[str, bytes]] = []
        """Path and body of each."""
        self.redirect_to: str | None = None

    def spans(self) -> list[Span]:
        """All that have arrived."""
        return [
            span
            for _, body in self.requests
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.requests.append((self.path, body))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(307 if self.server.redirect_to else 200)
        if self.server.redirect_to:
            self.send_header("location", self.server.redirect_to)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def attributes(pairs: list[KeyValue]) -> dict[str, str | int]:
    """Attributes as Python has them."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def otlp_collector() -> Iterator[Collector]:
    """A collector for as long as the block lasts."""
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.shutdown()
        collector.server_close()
