"""A real HTTP server that speaks Ollama's API.

with ollama_server(decision="reject") as ollama:
    ...  # point SLUICEGATE_OLLAMA__URLS at [ollama.url], in this process or another
    ollama.script.append(Raw(b"{}", status=500))
    assert 1 == len(ollama.questions)
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fake_ollama_answers import Delay, FakeOllama, Raw, Recorded, Reset, as_json, is_question


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        self._handle(None)

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"null"))

    def _handle(self, body: Any) -> None:
        fake = self.server.fake
        fake.requests.append(Recorded(self.command, self.path, body, dict(self.headers)))
        if not fake.alive:
            self._reset()
        elif fake.instead:
            self._send(fake.instead)
        elif self.path == "/api/generate":
            self._generate(fake, body)
        else:
            self._inform(fake, body)

    def _generate(self, fake: FakeOllama, body: Mapping[str, Any]) -> None:
        if not is_question(body):
            self._send(as_json(fake.generate(body)))
            return
        with fake.busy():
            scripted = fake.scripted(body)
            if isinstance(scripted, Delay):
                time.sleep(scripted.seconds)
                scripted = scripted.then
            if isinstance(scripted, Reset):
                self._reset()
                return
            response = scripted or as_json(fake.generate(body))
        self._send(response)

    def _inform(self, fake: FakeOllama, body: Any) -> None:
        known = {"/api/version": {"version": "0.17.4"}, "/api/tags": fake.tags(), "/api/ps": {"models": []}}
        if self.path == "/api/show" and body["model"] == fake.model:
            self._send(as_json(fake.show()))
        elif self.path in known:
            self._send(as_json(known[self.path]))
        else:
            self._send(as_json({"error": f"model '{body and body.get('model')}' not found"}, 404))

    def _send(self, response: Raw) -> None:
        try:
            self.send_response(response.status)
            for name, value in {"content-type": "application/json", **response.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
        except OSError:
            self.close_connection = True  # the client has gone

    def _reset(self) -> None:
        """Half an answer, then RST instead of FIN."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    fake: FakeOllama

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is no error here."""


class OllamaServer(FakeOllama):
    """The behaviour, and the server that has it; a stopped one refuses connections until it is restarted."""

    _port = 0
    _server: _Server | None = None

    def start(self) -> None:
        """Listen, from the second time on on the same port."""
        self.alive = True
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.fake = self
        self._port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self._port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections, and answer none of those that there are."""
        self.alive = False
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def ollama_server(**behaviour: Any) -> Iterator[OllamaServer]:
    """A server for as long as the block lasts; `behaviour` sets fields of `FakeOllama`."""
    server = OllamaServer(**behaviour)
    server.start()
    try:
        yield server
    finally:
        server.stop()
