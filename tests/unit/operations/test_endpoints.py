"""Starting, ready, draining and stuck are told apart, and metrics are served beside them."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from brokers import free_ports
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.endpoints import serve_endpoints
from sluicegate_consumer.operations.health import Health
from sluicegate_consumer.operations.metrics import new_metrics


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(10.0, clock)


@pytest.fixture
def url(health: Health) -> Iterator[str]:
    (port,) = free_ports(1)
    metrics = new_metrics()
    metrics.received(7)
    with serve_endpoints(metrics.registry, health, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


def answer(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def states(url: str) -> tuple[int, int, str]:
    """Status of /healthz and of /readyz, and the state that both say."""
    (live, body), (ready, same) = answer(f"{url}/healthz"), answer(f"{url}/readyz")
    assert body == same
    return live, ready, json.loads(body)["state"]


def test_each_state_has_its_answers(url: str, health: Health, clock: Clock):
    assert (200, 503, "starting") == states(url)
    health.ready()
    assert (200, 200, "ready") == states(url)
    clock.now = 10.1
    assert (503, 503, "stuck") == states(url)
    health.beat()
    assert (200, 200, "ready") == states(url)
    health.draining()
    assert (200, 503, "draining") == states(url)
    health.failed()
    assert (503, 503, "stuck") == states(url)


def test_metrics_are_served_and_other_paths_are_not_there(url: str):
    status, body = answer(f"{url}/metrics")
    assert 200 == status
    assert b"sluicegate_records_received_total 7.0" in body
    assert 404 == answer(f"{url}/secrets")[0]


def test_an_address_that_cannot_be_listened_on_is_an_error(url: str, health: Health):
    port = int(url.rpartition(":")[2])
    with (
        pytest.raises(ConfigurationError, match=f"endpoint_port={port}: cannot listen"),
        serve_endpoints(new_metrics().registry, health, "127.0.0.1", port),
    ):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"])
def test_it_is_bound_as_configured_to_either_kind_of_address(host: str, health: Health):
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    (port,) = free_ports(1)
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
    with serve_endpoints(new_metrics().registry, health, host, port):
        assert 200 == answer(f"http://{reached}:{port}/healthz")[0]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_client_that_says_nothing_keeps_nobody_waiting(url: str):
    host, _, port = url.removeprefix("http://").partition(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(20)]
    assert 200 == answer(f"{url}/healthz")[0]
    for connection in silent:
        connection.close()


def test_with_port_0_nothing_is_served(health: Health):
    with serve_endpoints(new_metrics().registry, health, "host.invalid", 0):
        pass
