"""One stream of log events, and nothing private in it."""

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog

from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.redaction import mask_text
from sluicegate_consumer.operations.settings import ObservabilitySettings

IMAGE = b"\xff\xd8\xff\xe0 a photograph"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logging.captureWarnings(capture=False)
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure_logging(ObservabilitySettings(log_format="json"), stream)
    return lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_level_time_and_context(lines):
    structlog.contextvars.bind_contextvars(upload_id="u-1")
    structlog.get_logger().info("decided", decision="approved", frames=3)
    (line,) = lines()
    assert tuple(line[key] for key in ("event", "level", "upload_id", "decision", "frames")) == (
        "decided",
        "info",
        "u-1",
        "approved",
        3,
    )
    assert line["timestamp"].endswith("Z")


def test_what_libraries_log_comes_out_the_same_way(lines):
    error = OSError("cannot reach s3://user:pw@host/key?sig=abc")
    logging.getLogger("aiokafka.conn").error("Unable to connect to %s", "kafka:9092", exc_info=error)
    (line,) = lines()
    assert (
        line["event"],
        line["level"],
        line["logger"],
    ) == ("Unable to connect to kafka:9092", "error", "aiokafka.conn")
    assert "OSError: cannot reach s3://***@host/key?***" in line["exception"]


def test_events_below_the_level_are_not_written(stream):
    configure_logging(ObservabilitySettings(log_level="warning", log_format="json"), stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("aiokafka").info("quiet")
    assert stream.getvalue() == ""


def test_a_client_never_writes_whole_requests_even_when_debugging(stream):
    configure_logging(ObservabilitySettings(log_level="debug", log_format="json"), stream)
    logging.getLogger("aiokafka.conn").debug("Request 1: %s", "ProduceRequest(...)")
    logging.getLogger("httpx").info("HTTP Request: GET https://media/1.jpg")
    assert stream.getvalue() == ""


def test_on_a_terminal_events_are_written_for_people(stream):
    configure_logging(ObservabilitySettings(log_format="pretty"), stream)
    structlog.get_logger().warning("second_tier_away", password="pw")
    assert "second_tier_away" in stream.getvalue()
    assert "pw" not in stream.getvalue().replace("password", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize(("kind", "is_json"), [(io.StringIO, True), (Terminal, False)])
def test_left_to_itself_the_log_is_json_unless_a_person_is_watching(kind, is_json):
    output = kind()
    configure_logging(ObservabilitySettings(), output)
    structlog.get_logger().info("consuming", topic="uploads")
    assert is_json == output.getvalue().startswith("{")
    assert "consuming" in output.getvalue()


@pytest.mark.usefixtures("stream")
def test_it_is_standard_output_that_a_service_writes_to(capsys):
    configure_logging(ObservabilitySettings(log_format="json"))
    structlog.get_logger().info("consuming")
    captured = capsys.readouterr()
    assert ("consuming", "") == (orjson.loads(captured.out)["event"], captured.err)


def test_what_python_itself_warns_of_is_an_event_too(stream):
    configure_logging(ObservabilitySettings(log_format="json"), stream)
    warnings.warn("decoding https://user:pw@host/a.jpg is slow", UserWarning, stacklevel=1)
    (line,) = map(orjson.loads, stream.getvalue().splitlines())
    assert ("warning", "py.warnings") == (line["level"], line["logger"])
    assert "https://***@host/a.jpg is slow" in line["event"]


@dataclass
class Holder:
    data: bytes


@pytest.mark.parametrize(
    "fields",
    [
        {"anything": IMAGE},
        {"anything": bytearray(IMAGE)},
        {"anything": memoryview(IMAGE)},
        {"nested": {"list": [IMAGE]}},
        {"holder": Holder(IMAGE)},
        {"text": f"got {IMAGE!r}"},
        {"error": ValueError(f"bad {IMAGE!r}")},
    ],
)
def test_bytes_never_reach_the_output(lines, fields):
    structlog.get_logger().info("event", **fields)
    assert "photograph" not in str(lines())


@pytest.mark.parametrize(
    "key",
    [
        "image",
        "data",
        "value",
        "caption",
        "jpeg",
        "password",
        "sasl_password",
        "sasl_plain_password",
        "Authorization",
        "aws_secret_access_key",
        "api-key",
    ],
)
def test_keys_that_name_content_or_credentials_are_redacted_at_any_depth(lines, key):
    structlog.get_logger().info("event", **{key: "private", "nested": {"deeper": [{key: ["private"]}]}})
    assert "private" not in str(lines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pw@host/a.jpg", "https://***@host/a.jpg"),
        ("https://user:p/w@host/a.jpg", "https://***@host/a.jpg"),
        ("from s3://b/a.jpg?X-Amz-Signature=1f&x=2 now", "from s3://b/a.jpg?*** now"),
        ("https://host/a.jpg#token=1", "https://host/a.jpg?***"),
        ("'https://a:b@c/?s=1', 'https://d/'", "'https://***@c/?***', 'https://d/'"),
        ("https://host:8443/@user/a.jpg", "https://host:8443/@user/a.jpg"),
        ("what? nothing#here a@b", "what? nothing#here a@b"),
        ("read b'\\xff\\xd8' and b\"it's\"", "read <bytes> and <bytes>"),
    ],
)
def test_uris_lose_what_opens_doors_and_keep_the_rest(text, expected):
    assert expected == mask_text(text)


def test_what_is_harmless_stays_as_it_is(lines):
    identity = UUID(int=1)
    structlog.get_logger().info("event", verdict_id=identity, file=Path("/a"), seconds=1.5, value=3, none=None)
    (line,) = lines()
    assert (str(identity), "/a", 1.5, 3, None) == (
        line["verdict_id"],
        line["file"],
        line["seconds"],
        line["value"],
        line["none"],
    )
