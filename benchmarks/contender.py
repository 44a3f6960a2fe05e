"""Whoever is measured, as a process of its own: sluicegate as it is in production, or a peer."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from cluster import Cluster
from sluicegate_consumer.operations.settings import DeliverySettings
from sluicegate_schemas.topics import Topics

HERE = Path(__file__).parent
SESSION_TIMEOUT_S = 6.0
"""Of all contenders, so that after a kill none waits longer for its group than another."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used so far."""

    main_cpu_s: float
    """Of the process's first thread: its event loop."""
    threads_cpu_s: float
    """Of its other threads."""
    children_cpu_s: float
    """Of the processes that it has started."""
    memory_bytes: int
    """Proportional set size: what is shared is counted once."""

    @property
    def cpu_s(self) -> float:
        """Of all of them."""
        return self.main_cpu_s + self.threads_cpu_s + self.children_cpu_s


@dataclass(frozen=True, slots=True)
class Contender:
    """How to start somebody on given topics."""

    name: str
    model: str
    """`embedded` or a directory."""
    program: tuple[str, ...] = ("-m", "sluicegate_consumer.commands", "consume")
    """Arguments of this Python."""
    flags: tuple[str, ...] | None = None
    """A peer's, beside those that say where everything is; None: it is sluicegate, which takes settings."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further variables."""
    cores: tuple[int, ...] = ()
    """That it may use; all if none is named."""
    group: str = DeliverySettings().consumer_group
    """Its consumer group."""

    def arguments(self, cluster: Cluster, topics: Topics) -> list[str]:
        """Of its process."""
        pinned = ["taskset", "-c", ",".join(map(str, self.cores))] if self.cores else []
        command = [*pinned, sys.executable, *self.program]
        if self.flags is None:
            return command
        where = ("--brokers", cluster.servers, "--uploads", topics.uploads, "--verdicts", topics.verdicts)
        timeout = ("--session-timeout-ms", f"{SESSION_TIMEOUT_S * 1000:.0f}")
        return [*command, *where, "--model", self.model, *timeout, *self.flags]

    def environment(self, cluster: Cluster, topics: Topics, root: Path) -> dict[str, str]:
        """Of its process: this one's, and where everything is."""
        names = {f"SLUICEGATE_TOPICS__{key.upper()}": value for key, value in asdict(topics).items()}
        own = {
            "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": cluster.servers,
            "SLUICEGATE_KAFKA__SESSION_TIMEOUT_S": f"{SESSION_TIMEOUT_S:g}",
            "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(root)]),
            "SLUICEGATE_MODEL__NAME": self.model,
            "SLUICEGATE_OBSERVABILITY__LOG_FORMAT": "json",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
        return inherited | {"HF_HUB_OFFLINE": "1"} | names | own | dict(self.settings)


def sluicegate(model: str, cores: tuple[int, ...] = (), settings: Mapping[str, str] | None = None) -> Contender:
    """Sluicegate with its defaults, but for settings such as `{"BATCH__MAX_WAIT_S": "0.05"}`."""
    variables = {f"SLUICEGATE_{key}": value for key, value in (settings or {}).items()}
    return Contender("sluicegate", model, settings=variables, cores=cores)


def probed(model: str, lags: Path) -> Contender:
    """The same, with a clock in its event loop that writes what it saw to `lags`."""
    return Contender("sluicegate", model, (str(HERE / "probed_service.py"), str(lags)))


def naive_peer(model: str) -> Contender:
    """See `naive_peer.py`."""
    return Contender("naive peer", model, (str(HERE / "naive_peer.py"),), ())


def afternoon_peer(model: str, wait_s: float = 0.25, *, second_look: bool = False) -> Contender:
    """See `afternoon_peer.py`."""
    flags = ("--wait-s", f"{wait_s:g}", *(["--second-look"] * second_look))
    return Contender("afternoon peer", model, (str(HERE / "afternoon_peer.py"),), flags, group="afternoon-peer")


class Running:
    """A started contender."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def require(self) -> None:
        """Raise unless it is running."""
        if self._process.poll() is not None:
            tail = self._log.read_text(errors="replace")[-3000:]
            raise SystemExit(f"it ended with code {self._process.returncode}:\n{tail}")

    def usage(self) -> Usage:
        """Of the process and all that it has started."""
        own = psutil.Process(self._process.pid)
        children = own.children(recursive=True)
        threads = {thread.id: thread.user_time + thread.system_time for thread in own.threads()}
        return Usage(
            main_cpu_s=threads[own.pid],
            threads_cpu_s=sum(threads.values()) - threads[own.pid],
            children_cpu_s=sum(child.cpu_times().user + child.cpu_times().system for child in children),
            memory_bytes=sum(member.memory_full_info().pss for member in (own, *children)),
        )

    def kill(self) -> None:
        """End it and all that it has started, without any warning."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def running(contender: Contender, cluster: Cluster, topics: Topics, log: Path) -> Iterator[Running]:
    """Start it, with the images beside its log; it does not outlive the block, and is not asked to finish anything."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            contender.arguments(cluster, topics),
            env=contender.environment(cluster, topics, log.parent),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run = Running(process, log)
    try:
        yield run
    finally:
        run.kill()


async def answered(contender: Contender, cluster: Cluster, topics: Topics, directory: Path) -> Any:
    """Run a program that ends by itself; the JSON of its last line."""
    process = await asyncio.create_subprocess_exec(
        *contender.arguments(cluster, topics),
        env=contender.environment(cluster, topics, directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{contender.name} ended with code {process.returncode}:\n{errors.decode()[-3000:]}")
    return json.loads(output.splitlines()[-1])
