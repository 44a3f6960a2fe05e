"""A real run to draw: both services as processes, a real broker, and Prometheus that scrapes them with our rules.

Only the language model is a stand-in: two servers that speak Ollama's API and answer after half a second to two; one of
them, and for a while both, are away.
"""

import asyncio
import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import yaml
from aiokafka import AIOKafkaProducer

from brokers import apache_or_embedded, free_ports
from fake_ollama import OllamaServer, ollama_server
from fake_ollama_answers import Delay
from mixed_uploads import POLICY, Expected, Maker, MixedUpload
from service_process import service
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

RULES = Path(__file__).parents[1] / "helm" / "sluicegate" / "files" / "alerts.yaml"
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
SCRAPE_S = 1
BURST = (0.62, 0.67)
FIRST_AWAY, SECOND_AWAY = (0.30, 0.50), (0.25, 0.55)
"""Parts of the run, from 0 to 1: when many more uploads come, and when each language model is not there."""
ANY = Expected("any")
"""What becomes of an upload is not looked at here."""


@contextmanager
def observed_run(directory: Path, seconds: float) -> Iterator[tuple[str, float, float]]:
    """Run for so long; gives Prometheus' address, and when the run began and ended (seconds since the epoch)."""
    consume, escalate, prometheus = free_ports(3)
    with ExitStack() as stack:
        kafka = stack.enter_context(apache_or_embedded(directory))
        asyncio.run(_topics(kafka))
        ollamas = [stack.enter_context(ollama_server(category="sexual", sign="nudity")) for _ in range(2)]
        maker = _maker(directory)
        settings = _settings(directory, kafka, ollamas)
        url = stack.enter_context(_prometheus(directory, prometheus, {"consumer": consume, "worker": escalate}))
        for command, port in (("consume", consume), ("escalate", escalate)):
            own = {"SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT": str(port)}
            stack.enter_context(service(command, settings | own, directory / f"{command}.log"))
        began = time.time()
        asyncio.run(_load(kafka, maker, ollamas, seconds))
        yield url, began, time.time()


async def _topics(kafka: str) -> None:
    async with kafka_admin(KafkaSettings(bootstrap_servers=kafka)) as admin:
        await create_topics(admin, topic_plans(Topics(), 12 * 2**20, partitions=3))


def _maker(directory: Path) -> Maker:
    root, outside = directory / "images", directory / "elsewhere"
    root.mkdir()
    outside.mkdir()
    (directory / "policy.yaml").write_text(POLICY)
    spec = find_spec("skimage")
    assert spec is not None, "scikit-image is missing: pip install 'sluicegate[embedded]'"
    data = Path(str(spec.origin)).parent / "data"
    return Maker(root, outside, [data / name for name in PHOTOGRAPHS], seed=1)


def _settings(directory: Path, kafka: str, ollamas: list[OllamaServer]) -> dict[str, str]:
    return {
        "SLUICEGATE_POLICY_FILE": str(directory / "policy.yaml"),
        "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(directory / "images")]),
        "SLUICEGATE_MODEL__NAME": "embedded",
        "SLUICEGATE_MODEL__DEVICE": "cpu",
        "SLUICEGATE_OLLAMA__URLS": json.dumps([ollama.url for ollama in ollamas]),
    }


async def _load(kafka: str, maker: Maker, ollamas: list[OllamaServer], seconds: float) -> None:
    """Uploads like those of a day, in minutes: they swell and ebb, with one burst, while language models fail."""
    chance, mixed = random.Random(1), list[MixedUpload]()
    began = time.monotonic()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        while (at := (time.monotonic() - began) / seconds) < 1:
            _trouble(ollamas, at)
            _change_their_minds(ollamas, chance)
            usual = chance.randint(0, 2 + round(2 * (1 - abs(2 * at - 1))))
            count = chance.randint(5, 8) if BURST[0] < at < BURST[1] else usual
            for upload in await asyncio.to_thread(_uploads, maker, mixed, chance, count):
                headers = list(upload.headers)
                await producer.send(Topics().uploads, key=upload.key, value=upload.value, headers=headers)
            await asyncio.sleep(1)


def _trouble(ollamas: list[OllamaServer], at: float) -> None:
    for server, away in zip(ollamas, (FIRST_AWAY, SECOND_AWAY), strict=True):
        gone = away[0] < at < away[1]
        if gone and server.alive:
            server.stop()
        elif not gone and not server.alive:
            server.start()


def _change_their_minds(ollamas: list[OllamaServer], chance: random.Random) -> None:
    for server in ollamas:
        server.decision = chance.choices(("approve", "reject", "unsure"), (7, 2, 1))[0]
        server.always = Delay(chance.uniform(0.5, 2.0))


def _uploads(maker: Maker, mixed: list[MixedUpload], chance: random.Random, count: int) -> list[MixedUpload]:
    """Mostly clear ones; `mixed` holds those of every kind that were made and wait, which shows in their age."""
    made = []
    for _ in range(count):
        kind = chance.choices(("clear", "ambiguous", "strict", "mixed"), (70, 16, 6, 8))[0]
        policy = {"clear": "default", "ambiguous": "unsure", "strict": "strict"}.get(kind)
        if policy is None and not mixed:
            mixed += maker.uploads(30)
        made.append(maker.good("JPEG", policy, ANY) if policy else mixed.pop())
    return made


@contextmanager
def _prometheus(directory: Path, port: int, targets: dict[str, int]) -> Iterator[str]:
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("no Prometheus on the path: it is in Debian's package `prometheus`")
    configuration = directory / "prometheus.yaml"
    labels = {"namespace": "moderation"}
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{own}"], "labels": labels}]}
        for name, own in targets.items()
    ]
    every = {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"}
    configuration.write_text(yaml.safe_dump({"global": every, "rule_files": [str(RULES)], "scrape_configs": jobs}))
    arguments = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={directory / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
