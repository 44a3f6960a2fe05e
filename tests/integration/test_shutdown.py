"""A service ends politely at the first signal and at once at the second."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.integration

SERVICE = """
import asyncio, signal, sys, time
from sluicegate_consumer.operations.shutdown import shutdown_signals

async def serve():
    before = signal.getsignal(signal.SIGTERM)
    with shutdown_signals({within}) as requested:
        print("ready", flush=True)
        await requested.wait()
        print("draining", flush=True)
        {drain}
    print("restored", signal.getsignal(signal.SIGTERM) is before, flush=True)

asyncio.run(serve())
"""


@contextmanager
def service(drain: str, within: float = 60) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SERVICE.format(drain=drain, within=within)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str) -> None:
    while word not in (line := process.stdout.readline()):
        assert line, f"ended before it said {word}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_it_drain_and_restores_what_was_before(number):
    with service("await asyncio.sleep(0)") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert "restored True" in out
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize("drain", ["await asyncio.sleep(60)", "time.sleep(60)"], ids=["waiting", "stuck loop"])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_ends_it_at_once_whatever_it_does(drain, second):
    with service(drain) as process:
        process.send_signal(signal.SIGTERM)
        read_until(process, "draining")
        process.send_signal(second)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "second signal: ended at once" in err


@pytest.mark.parametrize("drain", ["await asyncio.sleep(60)", "time.sleep(60)"], ids=["waiting", "stuck loop"])
def test_it_ends_within_its_bound_whatever_it_waits_for(drain):
    with service(drain, within=0.3) as process:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    assert (1, "something hangs: ended without waiting for it\n") == (process.returncode, err)


def test_a_thread_that_hangs_does_not_keep_an_ended_service_alive():
    program = """
import threading, time
from sluicegate_consumer.operations.shutdown import end_within

threading.Thread(target=time.sleep, args=(600,)).start()
end_within(0.2, 1)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (1, "something hangs: ended without waiting for it\n") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize(("swallows", "code"), [(False, 0), (True, 1)])
def test_a_task_that_swallows_its_cancellation_does_not_keep_a_command_alive(swallows, code):
    program = f"""
import asyncio
from sluicegate_consumer.commands import terminal

async def stubborn():
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            if not {swallows}:
                raise

async def work():
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

terminal.EXIT_GRACE_S = 0.2
terminal.run(work())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert code == ended.returncode, ended.stderr
