"""A broker for a demonstration or a test: Kafka's protocol from one binary, data in a temporary directory."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError

START_TIMEOUT_S = 20.0


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Run the embedded broker on a free port of the loopback interface; gives its `host:port`.

    It keeps its data in memory and on one file: for demonstrations and tests, never for production.

    Raises:
        ConfigurationError: the extra `embedded` is not installed, or the broker does not start.
    """
    with tempfile.TemporaryDirectory(prefix="sluicegate-broker-") as directory:
        port = _free_port()
        command = [_binary(), "start", "--only", "kafka", "--kafka-port", str(port), "--data-dir", directory]
        log = Path(directory) / "broker.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own fixed command line
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            _wait_until_listening(process, port, log)
            yield f"127.0.0.1:{port}"
        finally:
            # Nothing in it is wanted any more; a graceful end would first write it all to disk.
            process.kill()
            process.wait()


def _binary() -> str:
    spec = find_spec("noida_db")
    if spec is None or spec.origin is None:
        raise ConfigurationError("the embedded broker is not installed: pip install 'sluicegate[embedded]'")
    binary = Path(spec.origin).with_name("noida-db")
    if not os.access(binary, os.X_OK):
        raise ConfigurationError(f"the embedded broker does not run on this platform: {binary} is not executable")
    return str(binary)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise ConfigurationError(
        f"the embedded broker did not start on port {port}: {log.read_text(errors='replace')[-500:]}"
    )
