import asyncio
import io
import os
import shutil
import signal
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from sluicegate_consumer.demo.plan import Wishes
from sluicegate_consumer.demo.run import demonstrate
from sluicegate_consumer.demo.services import running
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_schemas.events import Verdict

pytestmark = pytest.mark.integration

NOBODY = "http://127.0.0.1:9"
PROCESSES = Path("/proc")


@pytest.fixture
def images(tmp_path, photographs):
    """A photograph, part of one that the model is unsure about, a text, and nothing at all."""
    folder = tmp_path / "images"
    folder.mkdir()
    shutil.copy(photographs["chelsea"], folder / "no ending")
    with Image.open(photographs["coffee"]) as coffee:
        coffee.crop((450, 0, 600, 100)).save(folder / "unsure.png")
    (folder / "<script>.jpg").write_text("not an image")
    (folder / "empty.png").touch()
    return folder


async def test_every_file_ends_in_a_final_verdict_and_a_report(images, tmp_path):
    console = Console(file=io.StringIO(), width=140)
    report = tmp_path / "report"

    succeeded = await demonstrate(Wishes(images, "embedded", NOBODY, report), console)

    printed = console.file.getvalue()
    assert succeeded, printed
    verdicts = [Verdict.model_validate_json(line) for line in (report / "verdicts.jsonl").read_bytes().splitlines()]
    decisions = {(verdict.upload_id, verdict.revision): str(verdict.decision) for verdict in verdicts}
    # In the order of the names: "<script>.jpg", "empty.png", "no ending", "unsure.png".
    assert {
        ("upload-0001", 1): "unprocessable",
        ("upload-0002", 1): "unprocessable",
        ("upload-0003", 1): "approved",
        ("upload-0004", 1): "escalated",
        ("upload-0004", 2): "review",
    } == decisions
    assert "Ollama does not answer" in printed
    assert "4 of 4 final" in printed
    page = (report / "index.html").read_text()
    assert 2 == page.count("data:image/jpeg;base64,")
    assert "&lt;script&gt;.jpg" in page
    assert "You are a content moderator" in page


async def test_what_is_wrong_with_the_wishes_is_said_before_anything_starts(tmp_path):
    with pytest.raises(ConfigurationError, match="not a folder"):
        await demonstrate(Wishes(tmp_path / "absent", "embedded", NOBODY, tmp_path / "report"), Console(quiet=True))

    assert not (tmp_path / "report").exists()


async def test_a_service_that_fails_ends_the_demonstration_with_its_log(images, tmp_path, monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.demo.run.SERVICES", ("consume", "no-such-service"))
    console = Console(file=io.StringIO(), width=140)

    assert not await demonstrate(Wishes(images, "embedded", NOBODY, tmp_path / "report"), console)

    printed = console.file.getvalue()
    assert "no-such-service ended before it was ready" in printed
    assert "No such command" in printed
    assert (tmp_path / "report" / "index.html").is_file()


async def test_services_are_stopped_whatever_happens_and_get_no_settings_but_ours(
    embedded_kafka, tmp_path, monkeypatch
):
    monkeypatch.setenv("SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS", "production:9092")
    variables = {"SLUICEGATE_MODEL__NAME": "embedded", "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": embedded_kafka}
    seen = []

    async def fail_in_the_middle():
        async with running(["consume"], variables, tmp_path) as services:
            seen.extend(services)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await fail_in_the_middle()

    assert [True] == [service.ended for service in seen]


async def test_a_service_gets_no_settings_but_those_of_the_demonstration(tmp_path, monkeypatch):
    monkeypatch.setenv("SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS", "production:9092")
    async with running(["consume"], {"SLUICEGATE_MODEL__NAME": "embedded"}, tmp_path) as (service,):
        environment = (PROCESSES / str(service.process.pid) / "environ").read_bytes()

    assert b"SLUICEGATE_MODEL__NAME=embedded" in environment
    assert b"production" not in environment


async def test_a_service_that_ignores_its_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.demo.services.STOP_TIMEOUT_S", 0.1)
    async with running(["--version"], {}, tmp_path) as (service,):
        os.kill(service.process.pid, signal.SIGSTOP)  # a stopped process handles no SIGTERM
        while "T (stopped)" not in (PROCESSES / str(service.process.pid) / "status").read_text():
            await asyncio.sleep(0.01)

    assert -signal.SIGKILL == service.process.returncode
