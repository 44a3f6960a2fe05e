"""Stores are asked whether they answer: a real S3 API, and a real HTTP server."""

import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from moto.server import ThreadedMotoServer

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.commands.checks.images import check_images
from sluicegate_consumer.operations.settings import FetchSettings, Settings

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/uploads", method="PUT"), timeout=10).close()
    yield url
    server.stop()


@pytest.fixture
def web(tmp_path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


async def findings(*prefixes: str, **options: str) -> list[Said]:
    fetch = FetchSettings(allowed_uri_prefixes=prefixes, store_options=options)
    settings = Settings().model_copy(update={"fetch": fetch})
    return [said async for said in check_images(settings)]


async def test_stores_that_answer_are_right_and_one_that_is_away_is_a_problem(s3, web, monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.commands.checks.images.PROBE_DEADLINE_S", 0.5)
    options = {
        "aws_endpoint": s3,
        "aws_region": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    uploads, files, away = await findings("s3://uploads/", f"{web}media/", "http://127.0.0.1:1/", **options)
    assert (Level.OK, "fetch.allowed_uri_prefixes: s3://uploads/: answers") == uploads
    assert (Level.OK, f"fetch.allowed_uri_prefixes: {web}media/: answers") == files
    assert Level.PROBLEM == away[0]
    assert away[1].startswith("fetch.allowed_uri_prefixes: http://127.0.0.1:1/: ")
