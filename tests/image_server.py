"""A real HTTP server of images that can be slow, endless, redirecting or broken."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class ImageServer:
    """Answers each path as told; keeps the paths that it was asked for."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                with server._counted():
                    server.asked.append(path)
                    answers = server.answers.get(path, [status(404)])
                    try:
                        (answers.pop(0) if len(answers) > 1 else answers[0])(self)
                    except OSError:
                        self.close_connection = True  # the client has gone

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer((host, 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://{host}:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def put(self, path: str, *answers: Answer | bytes) -> str:
        """Answer this path so, one after the other, the last one from then on; its URL."""
        self.answers[path] = [body(each) if isinstance(each, bytes) else each for each in answers]
        return self.url + path

    def stop(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def image_server(host: str = "127.0.0.1") -> Iterator[ImageServer]:
    server = ImageServer(host)
    try:
        yield server
    finally:
        server.stop()


def body(data: bytes, *, announced: int | None = None, code: int = 200) -> Answer:
    """These bytes, with another length announced if given."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("content-length", str(len(data) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def status(code: int, **headers: str) -> Answer:
    """An empty answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return answer


def redirect(to: str) -> Answer:
    """302 to another place."""
    return status(302, location=to)


def dripping(seconds: float, pause_s: float = 0.02) -> Answer:
    """One byte now and then, never quite silent."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "100000")
        handler.end_headers()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(pause_s)
        handler.close_connection = True

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Bytes until nobody listens any more, their number not announced."""
    handler.send_response(200)
    handler.send_header("connection", "close")
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(bytes(65536))


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Half an answer, then RST."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
