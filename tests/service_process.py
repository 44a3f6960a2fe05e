"""`sluicegate consume` and `sluicegate escalate` as the processes that they are in production."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAM = (sys.executable, "-m", "sluicegate_consumer.commands")
SHARED = {
    # On a machine that runs several of them, each as if it had one core.
    "OMP_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}


class ServiceProcess:
    """One service; started with `start`, and again after its end."""

    def __init__(self, command: str, settings: Mapping[str, str], log: Path, program: Sequence[str] = PROGRAM) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
        self.command = command
        self.environment = inherited | SHARED | dict(settings)
        self.log = log
        self.retired = False
        """Whether it was ended on purpose, and is not to be started again."""
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the present process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self, **more: str) -> None:
        """Start it in a session of its own, with `more` in its environment; its log is appended to."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._program, self.command],
                env=self.environment | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, to it alone."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it and all that it has started, without any warning."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        if self._process is not None:
            self.wait(10)

    def stop(self, seconds: float = 40) -> int:
        """Ask it to end; its exit code."""
        self.retired = True
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(seconds)

    def resident_bytes(self, pid: int | None = None) -> int:
        """Of the service itself, without the processes that it has started, or of the process that is given; 0 if it
        has just ended."""
        try:
            pages = Path(f"/proc/{pid or self.pid}/statm").read_text().split()[1]
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return int(pages) * resource.getpagesize()

    def logged(self) -> str:
        """What all its lives have written."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 40) -> str:
        """The end of that."""
        return "\n".join(self.logged().splitlines()[-lines:])


@contextmanager
def service(command: str, settings: Mapping[str, str], log: Path) -> Iterator[ServiceProcess]:
    """A started service that does not outlive the block."""
    process = ServiceProcess(command, settings, log)
    process.start()
    try:
        yield process
    finally:
        if process.running:
            process.kill()
