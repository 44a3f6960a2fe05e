"""`sluicegate check --privacy` tells what may be reached, and exits so that a script can rely on it."""

import json
from collections.abc import Iterator

import pytest

from command_process import command
from fake_ollama import ollama_server
from image_server import ImageServer, image_server
from sluicegate_consumer.operations.telemetry import SWITCHES

pytestmark = pytest.mark.integration


@pytest.fixture
def images() -> Iterator[ImageServer]:
    with image_server() as server:
        yield server


def test_privacy_is_told_with_its_reasons_and_what_is_outside_ends_with_two(images: ImageServer):
    prefixes = [f"{images.url}/", "http://203.0.113.7/", "s3://uploads/"]
    settings = {
        "fetch__allowed_uri_prefixes": prefixes,
        "fetch__store_options": {"aws_endpoint": "http://203.0.113.9:9000"},
        "egress__allowed_hosts": ["203.0.113.9"],
    }
    result = command("check", "--privacy", "--json", **settings)
    assert 2 == result.returncode
    report = json.loads(result.stdout)
    assert report["ok"] is False
    told = {line["destination"]: (line["enforced_by"], line["verdict"], line["standing"]) for line in report["reach"]}
    assert ("audit hook", "inside", "fine") == told[images.url.removeprefix("http://")]
    assert "refused" == told["203.0.113.7:80"][2]
    assert ("allow-list", "public, allowed by egress.allowed_hosts", "fine") == told["203.0.113.9:9000"]
    assert "169.254.169.254, 169.254.170.2, 169.254.170.23" in told
    assert report["silenced"].items() > SWITCHES.items()
    table = command("check", "--privacy", **settings)
    assert 2 == table.returncode
    assert "fetch.allowed_uri_prefixes: images are" in table.stdout
    assert "NetworkPolicy" in table.stdout


def test_a_model_that_the_server_has_run_elsewhere_is_refused_and_asked_nothing(embedded_kafka: str):
    with ollama_server() as ollama:
        settings = {"kafka__bootstrap_servers": embedded_kafka, "ollama__urls": [ollama.url]}
        told = command("check", "--privacy", **settings)
        assert 0 == told.returncode, told.stdout + told.stderr
        ollama.remote_host = "https://ollama.com:443"
        told, worker = command("check", "--privacy", **settings), command("escalate", **settings)
        cloud = command("check", "--privacy", ollama__model="qwen3.5:cloud", **settings)
        assert (2, 2, 2) == (told.returncode, worker.returncode, cloud.returncode)
        assert "runs at https://ollama.com:443, images would leave" in worker.stderr
        assert "runs at https://ollama.com:443" in " ".join(told.stdout.replace("│", "").split())
        assert [] == ollama.questions


def test_a_consumer_asks_no_language_model_where_it_runs(embedded_kafka: str):
    settings = {"kafka__bootstrap_servers": embedded_kafka, "ollama__urls": ["http://127.0.0.1:1"]}
    consumer, worker = (command("check", service, "--privacy", **settings) for service in ("consume", "escalate"))
    assert (0, 1) == (consumer.returncode, worker.returncode)
    assert ("beyond" in consumer.stdout, "beyond" in worker.stdout) == (False, True)


def test_what_cannot_be_told_ends_with_one():
    result = command("check", "--privacy", "--timeout", "1", kafka__bootstrap_servers="127.0.0.1:1")
    assert 1 == result.returncode
    assert "not known: " in result.stdout
