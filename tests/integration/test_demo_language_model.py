import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sluicegate_consumer.demo.language_model import LanguageModel, find_language_model

pytestmark = pytest.mark.integration

SEES = {"capabilities": ["completion", "vision"]}
BLIND = {"capabilities": ["completion"]}
ELSEWHERE = {"capabilities": ["completion", "vision"], "remote_host": "https://elsewhere.example"}


@contextmanager
def server(models, status=200):
    """An HTTP server with Ollama's list of models and their descriptions; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer({"models": [{"name": name} for name in models]})

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer(models[asked["model"]])

        def answer(self, body):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()


async def test_the_default_model_is_taken_before_others():
    with server({"other:latest": SEES, "qwen3.5:9b": SEES}) as url:
        assert LanguageModel(url, "qwen3.5:9b") == await find_language_model(url)


async def test_without_it_the_first_that_sees_images_and_runs_there_is_taken():
    models = {"qwen3.5:latest": BLIND, "pointer:latest": ELSEWHERE, "big-cloud": SEES, "small:latest": SEES}
    with server(models) as url:
        assert LanguageModel(url, "small:latest") == await find_language_model(url)


@pytest.mark.parametrize("models", [{}, {"text:latest": BLIND}, {"pointer:latest": ELSEWHERE}])
async def test_a_server_without_a_usable_model_is_said_to_have_none(models):
    with server(models) as url:
        assert "has no vision language model" in await find_language_model(url)


async def test_a_server_that_fails_or_is_not_there_does_not_answer():
    with server({}, status=500) as url:
        assert "does not answer" in await find_language_model(url)
    assert "does not answer" in await find_language_model(url)
    assert "does not answer" in await find_language_model("not a url")
