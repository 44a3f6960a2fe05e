"""`/metrics`, `/healthz` and `/readyz` on one small port, answered by threads: also while the event loop is stuck."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.health import Health, State

LIVE = {State.STARTING, State.READY, State.DRAINING}
READY = {State.READY}
CLIENT_TIMEOUT_S = 10.0
"""A client that says nothing for so long is left: each holds a thread."""


@contextmanager
def serve_endpoints(registry: CollectorRegistry, health: Health, host: str, port: int) -> Iterator[None]:
    """Serve for as long as the block runs; with port 0, do nothing.

    `/healthz` is 200 unless the service is stuck, `/readyz` only while it takes records; otherwise 503. Both say the
    state in JSON.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    if port == 0:
        yield
        return

    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_TIMEOUT_S
        server_version, sys_version = "sluicegate", ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif path in {"/healthz", "/readyz"}:
                state = health.state
                good = state in (LIVE if path == "/healthz" else READY)
                code = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(code, "application/json", orjson.dumps({"state": state}))
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics, /healthz, /readyz\n")

        def _answer(self, code: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A probe every few seconds is no news."""

    try:
        server = _Server((host, port), Handler)
    except OSError as error:
        raise ConfigurationError(
            f"observability.endpoint_host={host}, observability.endpoint_port={port}: cannot listen: {error}"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="endpoints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        # The class's own family is IPv4 alone, and a cluster's pods may have nothing but IPv6.
        self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        super().__init__(address, handler)

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no news either."""
