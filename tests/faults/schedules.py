"""Seeded random faults over a load of uploads, on one broker, one run after the other.

PYTHONPATH=tests python tests/faults/schedules.py --seeds 200 --broker apache     (or: make faults SEEDS=200)
"""

import argparse
import asyncio
import itertools
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import orjson
from installation import installation
from load import Upload, uploads
from rich.console import Console
from rich.progress import Progress
from schedule_table import Result, summary
from service_log import joined
from stage import Stage, stage_of
from world import COMMANDS, World

from brokers import kafka_home
from fake_ollama_answers import Delay, Raw, Reset
from service_process import ServiceProcess
from tcp_proxy import Mode

RATE = 40.0
FAULTS = (4, 8)
"""In one run, at least and at most."""
RECOVERY = 0.6
"""Share of faults that wait until both tiers are at work again; the others may meet services that are starting."""
RECOVERY_WITHIN_S = 20.0
HEAL_WITHIN_S = 60.0
MOST_MEMBERS = 4


class Schedule:
    """The faults of one seed."""

    def __init__(self, seed: int, stage: Stage, world: World) -> None:
        self._chosen = random.Random(seed)
        self._stage = stage
        self._world = world
        self.counts: Counter[str] = Counter()
        self.over = False

    async def run(self) -> None:
        """One fault after the other, some of them before what the last one has broken is whole again."""
        for _ in range(self._chosen.randint(*FAULTS)):
            await asyncio.sleep(self._chosen.uniform(0.1, 1.2))
            if self._chosen.random() < RECOVERY:
                await self._recovered()
            name, fault = self._chosen.choice(self._faults())
            self.counts[name] += 1
            await fault()
        self.over = True

    def load(self, seed: int) -> Iterator[Upload]:
        """Uploads for as long as faults come, and a few more."""
        endless = uploads(seed, sys.maxsize)
        yield from itertools.takewhile(lambda _: not self.over, endless)
        yield from itertools.islice(endless, 20)

    async def _recovered(self) -> None:
        deadline = time.monotonic() + RECOVERY_WITHIN_S
        while time.monotonic() < deadline:
            working = {each.command for each in self._world.services if each.running and joined(each.logged())}
            if working == set(COMMANDS):
                return
            await asyncio.sleep(0.1)

    def _faults(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        found = [
            ("kill", self._kill),
            ("language model fails", self._model_fails),
            ("language model is gone", self._model_gone),
        ]
        if self._stage.ends_sessions:  # else a group of several members is none that can be relied on
            found += [
                ("kill at a failpoint", self._failpoint),
                ("freeze past the session", self._freeze),
                ("join", self._join),
                ("leave", self._leave),
                ("device error", self._device),
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

    def _service(self) -> ServiceProcess | None:
        running = [each for each in self._world.services if each.running and not each.retired]
        return self._chosen.choice(running) if running else None

    def _room(self) -> bool:
        return len([each for each in self._world.services if not each.retired]) < MOST_MEMBERS

    async def _kill(self) -> None:
        service = self._service()
        if service is not None and (self._stage.ends_sessions or joined(service.logged())):
            self._world.note(f"SIGKILL {self._world.name(service)}")  # a fault once its end is seen
            service.kill()

    async def _failpoint(self) -> None:
        point = self._chosen.choice(["sent", "received", "acknowledged", "committing", "committed"])
        count = self._chosen.randint(1, 20)
        command = self._chosen.choice(["consume", "consume", "escalate"])
        if self._room():
            self._join_group(command, f"{point}:{count}")

    async def _freeze(self) -> None:
        if (service := self._service()) is not None:
            self._world.fault(f"SIGSTOP {self._world.name(service)}", service.command)
            service.signal(signal.SIGSTOP)
            await asyncio.sleep(self._stage.session_s + self._chosen.uniform(0.2, 1.5))
            with suppress(ProcessLookupError):
                service.signal(signal.SIGCONT)
            self._world.fault(f"SIGCONT {self._world.name(service)}", service.command)

    async def _join(self) -> None:
        if self._room():
            self._join_group(self._chosen.choice(["consume", "escalate"]))

    def _join_group(self, command: str, failpoint: str = "", **environment: str) -> None:
        self._world.fault(f"{command} joins", command)
        self._world.start(command, failpoint, **environment)

    async def _leave(self) -> None:
        if (service := self._service()) is not None:
            same = [e for e in self._world.services if e.command == service.command and not e.retired]
            if len(same) > 1:
                self._world.leave(service)

    async def _device(self) -> None:
        point = self._chosen.choice(["device_out_of_memory:2", "device_hang:3", "blocked_loop:2"])
        if self._room():
            self._join_group("consume", point, BLOCKED_S=str(self._stage.session_s + 1))

    async def _model_fails(self) -> None:
        answers = [Raw(b'{"error":"busy"}', 503), Raw(b'{"error":"x"}', 500), Reset(), Delay(0.7), Raw(b"nonsense")]
        answer = self._chosen.choice(answers)
        self._world.note(f"the language model's next answer: {answer}")
        self._stage.ollama.script.append(answer)

    async def _model_gone(self) -> None:
        self._world.note("the language model goes")
        self._stage.ollama.stop()
        await asyncio.sleep(self._chosen.uniform(0.3, 1.5))
        self._stage.ollama.start()
        self._world.note("and comes back")

    async def _reset(self) -> None:
        self._world.fault("connections are reset")
        self._stage.proxy.reset()

    async def _lose(self, mode: Mode) -> None:
        self._world.fault(f"network: {mode.value}")
        self._stage.proxy.mode = mode
        await asyncio.sleep(self._chosen.uniform(0.5, 4.0))
        self._stage.proxy.mode = Mode.PASS
        self._stage.proxy.reset()  # a stream that has lost bytes is none any more
        self._world.fault("network: everything passes again")

    async def _blackhole(self) -> None:
        await self._lose(Mode.BLACKHOLE)

    async def _drop_responses(self) -> None:
        await self._lose(Mode.DROP_RESPONSES)

    async def _restart_broker(self) -> None:
        (node,) = self._stage.kafka.nodes
        self._world.fault("SIGKILL the broker")
        node.kill()
        await asyncio.sleep(self._chosen.uniform(0.0, 2.0))
        node.start()
        await asyncio.to_thread(node.wait)
        self._world.fault("the broker is back")


async def play(seed: int, stage: Stage, directory: Path) -> Result:
    """One seed, from an empty installation to its findings."""
    began = time.monotonic()
    stage.clear()
    async with installation(stage, directory) as made:
        await asyncio.gather(*(made.joined(made.start(command), 60) for command in COMMANDS))
        schedule = Schedule(seed, stage, made)
        async with made.watched():
            await asyncio.gather(made.publish(schedule.load(seed), RATE), schedule.run())
            found = await made.conclude(HEAL_WITHIN_S)
        broken = {name: lines for name, lines in found.broken.items() if lines}
        return Result(
            seed=seed,
            seconds=time.monotonic() - began,
            published=len(made.published),
            unknown=len(made.unknown),
            faults=schedule.counts,
            broken=broken,
            copies=found.copies,
            allowed_copies=made.allowed_copies,
            exits=made.exits,
            endings_s=made.endings_s,
            most_resident=made.most_resident,
            timeline=made.timeline,
            logs=made.logs(25) if broken else "",
        )


def main() -> int:
    """Play the seeds; the exit code is 1 where an invariant did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="how many runs")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache" if kafka_home() else "embedded")
    parser.add_argument("--json", type=Path, help="where to write what was found, after every run")
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
                report(console, result)
            if options.json:
                options.json.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    console.print(summary(results, options.broker))
    return 1 if any(result.broken for result in results) else 0


def report(console: Console, result: Result) -> None:
    """The seed, what did not hold, and when what happened."""
    console.print(f"[bold red]seed {result.seed}[/]", *(f"{k}: {v[:5]}" for k, v in result.broken.items()))
    console.print("\n".join(result.timeline), markup=False, highlight=False)
    console.print(result.logs, markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
