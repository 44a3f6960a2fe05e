"""Seeded random faults over a load of uploads, on one broker, one run after the other.

PYTHONPATH=tests python tests/faults/schedules.py --seeds 200 --broker apache     (or: make faults SEEDS=200)
"""

import argparse
import asyncio
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from load import uploads
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from world import World, world

from brokers import Kafka, kafka_home
from fake_ollama import OllamaServer, ollama_server
from fake_ollama_answers import Delay, Raw, Reset
from sluicegate_consumer.demo.broker import embedded_broker
from tcp_proxy import Mode, TcpProxy

UPLOADS = 240
RATE = 60.0
HEAL_WITHIN_S = 60.0
INVARIANTS = ("I1", "I2", "I3", "I4", "I5", "I6", "I8")


@dataclass
class Stage:
    """What a schedule plays on: a broker, alone or behind a proxy, and a language model's server."""

    direct: str
    bootstrap_servers: str
    ollama: OllamaServer
    proxy: TcpProxy | None = None
    kafka: Kafka | None = None
    session_s: float = 2.0
    """The shortest session that the broker allows."""


@dataclass
class Result:
    """What came of one seed."""

    seed: int
    seconds: float
    faults: Counter[str]
    broken: dict[str, list[str]]
    copies: int
    exits: list[tuple[str, int]] = field(default_factory=list)
    timeline: list[str] = field(default_factory=list)
    logs: str = ""


class Schedule:
    """The faults of one seed."""

    def __init__(self, seed: int, stage: Stage, world: World) -> None:
        self._chosen = random.Random(seed)
        self._stage = stage
        self._world = world
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """One fault after the other, for as long as the load lasts and a little longer."""
        ends = time.monotonic() + UPLOADS / RATE + 2
        while time.monotonic() < ends:
            await asyncio.sleep(self._chosen.uniform(0.1, 1.2))
            name, fault = self._chosen.choice(self._faults())
            self.counts[name] += 1
            self._world.fault(name)
            await fault()

    def _faults(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        found = [
            ("kill", self._kill),
            ("kill at a failpoint", self._failpoint),
            ("freeze past the session", self._freeze),
            ("join", self._join),
            ("leave", self._leave),
            ("device error", self._device),
            ("language model fails", self._model_fails),
            ("language model is gone", self._model_gone),
        ]
        if self._stage.proxy is not None:
            found += [
                ("connections reset", self._reset),
                ("connections blackholed", self._blackhole),
                ("responses dropped", self._drop_responses),
            ]
        if self._stage.kafka is not None:
            found += [("broker killed and restarted", self._restart_broker)]
        return found

    def _service(self):
        running = [each for each in self._world.services if each.running and not each.retired]
        return self._chosen.choice(running) if running else None

    async def _kill(self) -> None:
        if (service := self._service()) is not None:
            self._world.note(f"SIGKILL {self._world.name(service)}")
            service.kill()

    async def _failpoint(self) -> None:
        point = self._chosen.choice(["sent", "received", "acknowledged", "committing", "committed"])
        count = self._chosen.randint(1, 20)
        command = self._chosen.choice(["consume", "consume", "escalate"])
        if len([each for each in self._world.services if not each.retired]) < 4:
            self._world.start(command, f"{point}:{count}")

    async def _freeze(self) -> None:
        if (service := self._service()) is not None:
            self._world.note(f"SIGSTOP {self._world.name(service)}")
            service.signal(signal.SIGSTOP)
            await asyncio.sleep(self._stage.session_s + self._chosen.uniform(0.2, 1.5))
            with suppress(ProcessLookupError):
                service.signal(signal.SIGCONT)
            self._world.note(f"SIGCONT {self._world.name(service)}")

    async def _join(self) -> None:
        if len([each for each in self._world.services if not each.retired]) < 4:
            self._world.start(self._chosen.choice(["consume", "escalate"]))

    async def _leave(self) -> None:
        if (service := self._service()) is not None:
            same = [e for e in self._world.services if e.command == service.command and not e.retired]
            if len(same) > 1:
                self._world.note(f"SIGTERM {self._world.name(service)}")
                service.retired = True
                service.signal(signal.SIGTERM)

    async def _device(self) -> None:
        point = self._chosen.choice(["device_out_of_memory:2", "device_hang:3", "blocked_loop:2"])
        if len([each for each in self._world.services if not each.retired]) < 4:
            self._world.start("consume", point, BLOCKED_S=str(self._stage.session_s + 1))

    async def _model_fails(self) -> None:
        answers = [Raw(b'{"error":"busy"}', 503), Raw(b'{"error":"x"}', 500), Reset(), Delay(0.7), Raw(b"nonsense")]
        # Fewer than would use up an image's attempts: what fails for good is a human's, which is another final state.
        self._stage.ollama.script.append(self._chosen.choice(answers))

    async def _model_gone(self) -> None:
        self._stage.ollama.stop()
        await asyncio.sleep(self._chosen.uniform(0.3, 1.5))
        self._stage.ollama.start()

    async def _reset(self) -> None:
        self._stage.proxy.reset()

    async def _lose(self, mode: Mode) -> None:
        self._stage.proxy.mode = mode
        await asyncio.sleep(self._chosen.uniform(0.5, 4.0))
        self._stage.proxy.mode = Mode.PASS
        self._stage.proxy.reset()  # a stream that has lost bytes is none any more

    async def _blackhole(self) -> None:
        await self._lose(Mode.BLACKHOLE)

    async def _drop_responses(self) -> None:
        await self._lose(Mode.DROP_RESPONSES)

    async def _restart_broker(self) -> None:
        (node,) = self._stage.kafka.nodes
        node.kill()
        await asyncio.sleep(self._chosen.uniform(0.0, 2.0))
        node.start()
        await asyncio.to_thread(node.wait)


async def play(seed: int, stage: Stage, directory: Path) -> Result:
    """One seed, from an empty installation to its findings."""
    began = time.monotonic()
    stage.ollama.script.clear()
    async with world(
        stage.bootstrap_servers, stage.ollama, directory, direct=stage.direct, session_s=stage.session_s
    ) as made:
        made.start("consume")
        made.start("escalate")
        watching = asyncio.create_task(made.watch())
        schedule = Schedule(seed, stage, made)
        await asyncio.gather(made.publish(uploads(seed, UPLOADS), RATE), schedule.run())
        made.note("no more faults")
        settled = await made.settled(HEAL_WITHIN_S)
        made.note("settled" if settled else "not settled")
        watching.cancel()
        await asyncio.wait({watching})
        found = await made.examine(commit_history=stage.kafka is not None)
        if not settled:
            found.note("I6", f"something is left to do after {HEAL_WITHIN_S:.0f} s")
        if not watching.cancelled():
            found.note("I3", f"the watcher failed: {watching.exception()!r}")
        broken = {name: lines for name, lines in found.broken.items() if lines}
        logs = made.logs(25) if broken else ""
        return Result(
            seed, time.monotonic() - began, schedule.counts, broken, found.copies, made.exits, made.timeline, logs
        )


def stage_of(broker: str, stack: ExitStack, directory: Path) -> Stage:
    """A broker behind a proxy, and a language model's server."""
    ollama = stack.enter_context(ollama_server(decision="approve"))
    if broker == "embedded":
        direct = stack.enter_context(embedded_broker())
        return Stage(direct, direct, ollama, session_s=6.0)
    home = kafka_home()
    assert home is not None, "no Apache Kafka: set KAFKA_HOME, and have java on the path"
    proxy = TcpProxy()
    stack.callback(proxy.stop)
    kafka = Kafka(home, directory / "kafka", proxies=[proxy.port])
    stack.callback(kafka.kill)
    proxy.target_port = kafka.behind[0]
    kafka.start()
    return Stage(kafka.bootstrap_servers, kafka.proxied_servers, ollama, proxy, kafka)


def summary(results: list[Result]) -> Table:
    """Runs, faults, and what held."""
    faults = sum((result.faults for result in results), Counter())
    table = Table(title=f"{len(results)} runs of {UPLOADS} uploads", title_justify="left")
    table.add_column("fault")
    table.add_column("times", justify="right")
    for name, count in sorted(faults.items()):
        table.add_row(name, str(count))
    table.add_section()
    for invariant in INVARIANTS:
        failed = [result.seed for result in results if result.broken.get(invariant)]
        table.add_row(
            invariant, f"held in {len(results) - len(failed)}" + (f", not in seeds {failed}" if failed else "")
        )
    table.add_section()
    table.add_row("outputs written more than once", str(sum(result.copies for result in results)))
    table.add_row("services that ended by themselves", str(sum(len(result.exits) for result in results)))
    return table


def main() -> int:
    """Play the seeds; the exit code is 1 where an invariant did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many runs")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache" if kafka_home() else "embedded")
    parser.add_argument("--json", type=Path, help="where to write what was found")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that brokers go is what is wanted
    console = Console()
    results: list[Result] = []
    with ExitStack() as stack, Progress(console=console) as progress:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = stage_of(options.broker, stack, directory)
        task = progress.add_task("seeds", total=options.seeds)
        for seed in range(options.first, options.first + options.seeds):
            result = asyncio.run(play(seed, stage, directory / str(seed)))
            results.append(result)
            shutil.rmtree(directory / str(seed), ignore_errors=True)
            progress.advance(task)
            if result.broken:
                console.print(f"[bold red]seed {seed}[/]", *(f"{k}: {v[:5]}" for k, v in result.broken.items()))
                console.print("\n".join(result.timeline), markup=False, highlight=False)
                console.print(result.logs, markup=False, highlight=False)
    console.print(summary(results))
    console.print(f"{sum(result.seconds for result in results) / len(results):.1f} s a run")
    if options.json:
        options.json.write_bytes(orjson.dumps([result.__dict__ for result in results], option=orjson.OPT_INDENT_2))
    return 1 if any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
