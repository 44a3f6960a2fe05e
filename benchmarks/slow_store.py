"""An S3 that takes its time: `python slow_store.py --delay 0.05 --port PORT`.

moto's server of the S3 API, which answers every GET of an object so many seconds later.
"""

import argparse
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brokers import free_ports
from s3_server import S3

BUCKET = "uploads"
START_TIMEOUT_S = 20.0


@contextmanager
def slow_store(delay_s: float, images: Sequence[Path]) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Serve these images from a process of its own; gives their URIs, and settings of who fetches from there."""
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, __file__, "--delay", f"{delay_s:g}", "--port", str(port)])
    try:
        _wait_until_listening(port, process)
        store = S3(f"http://127.0.0.1:{port}")
        uris = [store.put(BUCKET, path.name, path.read_bytes()) for path in images]
        options = json.dumps(store.store_options)
        yield uris, {"FETCH__STORE_OPTIONS": options, "FETCH__ALLOWED_URI_PREFIXES": json.dumps([f"s3://{BUCKET}/"])}
    finally:
        process.kill()
        process.wait()


def serve(delay_s: float, port: int) -> None:
    """Until the process is ended."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - slow to import
    from werkzeug.serving import WSGIRequestHandler, run_simple  # noqa: PLC0415 - same

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its warning is not meant for a benchmark

    class Silent(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_: Any) -> None:
            """Say nothing."""

    moto = DomainDispatcherApplication(create_backend_app)

    def delayed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            time.sleep(delay_s)
        answer: Iterable[bytes] = moto(environ, start_response)
        return answer

    run_simple("127.0.0.1", port, delayed, threaded=True, request_handler=Silent)


def _wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the S3 server did not start")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    serve(given.delay, given.port)
