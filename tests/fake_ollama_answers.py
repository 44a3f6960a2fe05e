"""What a pretended Ollama says: as a healthy server does, or as scripted.

Healthy: constrained JSON, log-probabilities, and a `prompt_eval_count` that grows with the system text and the image.
"""

import base64
import json
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

MODEL = "qwen3.5"
DIGEST = "4bff5ac07dbac3a9a9a2a5c4de2f9f3b0b6c4a4f3d5c2f1e0d9c8b7a69584736"
PATCH = 32
"""Pixels of one side of what becomes one token."""
LETTERS = {"approve": "A", "reject": "R", "unsure": "U"}


@dataclass(frozen=True)
class Raw:
    """A response, byte for byte."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delay:
    """Wait, then answer as `then` says; None: as normal."""

    seconds: float
    then: "Raw | Reset | None" = None


class Reset:
    """End the connection in the middle of an answer."""


Scripted = Raw | Delay | Reset | None
"""None: as normal."""


@dataclass(frozen=True)
class Recorded:
    """One request as it came."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


@dataclass
class FakeOllama:
    """What the server does; everything may be changed while it runs."""

    url: str = ""
    requests: list[Recorded] = field(default_factory=list)
    model: str = MODEL
    digest: str = DIGEST
    capabilities: tuple[str, ...] = ("completion", "vision", "thinking")
    remote_host: str | None = None
    num_ctx_limit: int | None = None
    """If given, what the model was trained for: a prompt is cut to this, whatever the request asks for."""
    decision: str = "approve"
    category: str = "sexual"
    sign: str = "none"
    probability: float = 0.97
    """Of the decision; the rest is shared by the other two."""
    logprobs: bool = True
    always: Scripted = None
    """Every question is answered so, after the script."""
    script: deque[Scripted] = field(default_factory=deque)
    """The next questions about images are answered so, one each. Measurements at start are not questions."""
    scripted_for: bytes | None = None
    """If given, `script` and `always` hold for questions about this JPEG alone."""
    instead: Raw | None = None
    """If given, every request is answered so: what a gateway says for a server that is gone."""
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Replaces fields of the normal answer to a question."""
    alive: bool = True
    """If not, connections are accepted and reset before anything is answered."""
    most_at_once: int = 0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def questions(self) -> list[Mapping[str, Any]]:
        """Bodies of the questions about images so far, without measurements."""
        return [r.body for r in self.requests if r.path == "/api/generate" and is_question(r.body)]

    def scripted(self, body: Mapping[str, Any]) -> Scripted:
        """What a question is answered out of the ordinary."""
        if self.scripted_for not in (None, *map(base64.b64decode, body["images"])):
            return None
        return self.script.popleft() if self.script else self.always

    def forget(self) -> None:
        """Empty the record."""
        self.requests.clear()

    def show(self) -> dict[str, Any]:
        """Body of /api/show."""
        remote = {"remote_host": self.remote_host, "remote_model": self.model} if self.remote_host else {}
        facts = {"general.architecture": "qwen35vl", "qwen35vl.context_length": self.num_ctx_limit or 262144}
        return {"details": {"family": "qwen3"}, "model_info": facts, "capabilities": list(self.capabilities), **remote}

    def tags(self) -> dict[str, Any]:
        """Body of /api/tags."""
        name = self.model if ":" in self.model else f"{self.model}:latest"
        return {"models": [{"name": name, "model": name, "digest": self.digest, "size": 1}]}

    def generate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Body of /api/generate."""
        if not body.get("prompt"):
            return {"model": body["model"], "response": "", "done": True, "done_reason": "load"}
        text, tokens = self._answer()
        cut = body["options"]["num_predict"] < len(tokens)
        said = {
            "model": body["model"],
            "created_at": "2026-11-23T20:14:48Z",
            "response": text if not cut else "",
            "done": True,
            "done_reason": "length" if cut else "stop",
            "prompt_eval_count": self._prompt_tokens(body),
            "eval_count": len(tokens),
        }
        if self.logprobs and body.get("logprobs"):
            said["logprobs"] = tokens[: body["options"]["num_predict"]]
        if self.answer and is_question(body):
            said |= self.answer(body)
        return said

    def _prompt_tokens(self, body: Mapping[str, Any]) -> int:
        tokens = len(body["system"].split()) + len(body["prompt"].split()) + 12
        for image in body.get("images", ()):
            width, height = Image.open(BytesIO(base64.b64decode(image))).size
            tokens += max(1, round(width / PATCH)) * max(1, round(height / PATCH))
        return min(tokens, self.num_ctx_limit or body["options"]["num_ctx"])

    def _answer(self) -> tuple[str, list[dict[str, Any]]]:
        rejects = self.decision == "reject"
        letter = LETTERS[self.decision]
        category, sign = (self.category, self.sign) if rejects else ("none", "none")
        rest = f'","category":"{category}","sign":"{sign}"}}'
        others = (1 - self.probability) / 2
        chances = {other: self.probability if other == letter else others for other in LETTERS.values()}
        decisive = [{"token": token, "logprob": math.log(chance)} for token, chance in chances.items() if chance]
        own = {"token": letter, "logprob": math.log(self.probability), "top_logprobs": decisive}
        tokens = [_certain('{"'), _certain("decision"), _certain('":"'), own, _certain(rest)]
        return '{"decision":"' + letter + rest, tokens

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count how many questions are in hand."""
        with self._lock:
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1


def is_question(body: Mapping[str, Any]) -> bool:
    """Whether a body of /api/generate asks for a whole answer about an image, and does not only measure or load."""
    return bool(body.get("images")) and body["options"]["num_predict"] > 1


def as_json(body: object, status: int = 200) -> Raw:
    """A response with a JSON body."""
    return Raw(json.dumps(body).encode(), status)


def transcript(recorded: Mapping[str, Any]) -> Raw:
    """A recorded response; one of /api/chat is put as /api/generate would have."""
    response = recorded["response"]
    body = response["body"]
    if '"message"' in body and "\n" not in body.strip():
        said = json.loads(body)
        message = said.pop("message")
        said |= {"response": message.get("content", ""), "thinking": message.get("thinking")}
        body = json.dumps(said)
    return Raw(body.encode(), response["status"])


def _certain(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": 0.0, "top_logprobs": [{"token": token, "logprob": 0.0}]}
