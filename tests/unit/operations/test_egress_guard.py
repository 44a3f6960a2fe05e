"""The guard knows where names lead by the answers that this process got; the hook itself is tried in processes."""

import socket
from collections.abc import Callable

import pytest
import structlog.testing

from sluicegate_consumer.operations.egress import Destination, Egress, EgressRefused
from sluicegate_consumer.operations.egress_guard import REMEMBERED_S, EgressGuard, Refusal
from sluicegate_consumer.operations.egress_start import SAID_AGAIN_S, refusals_to

MEDIA = Egress((Destination("media.internal", 443, "fetch.allowed_uri_prefixes", "images"),))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals() -> list[Refusal]:
    return []


@pytest.fixture
def guard(clock: Clock, refusals: list[Refusal]) -> EgressGuard:
    return EgressGuard(MEDIA, refusals.append, clock=clock)


def connect(guard: EgressGuard, *address: object, answers: tuple[str, ...] = ()) -> None:
    def resolve(_host: str, port: int, *_: object) -> list:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port)) for answer in answers]

    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    guard.check_connection("socket.connect", family, address, resolve)


def refused(call: Callable[[], None]) -> bool:
    try:
        call()
    except EgressRefused:
        return True
    return False


def test_an_address_belongs_to_a_name_for_as_long_as_look_ups_say_so(guard, clock):
    assert refused(lambda: connect(guard, "10.0.0.1", 443))
    guard.resolved("Media.Internal", ["10.0.0.1", "::ffff:10.0.0.2"])
    connect(guard, "10.0.0.1", 443)
    connect(guard, "::ffff:10.0.0.2", 443, 0, 0)
    clock.now = 0.9 * REMEMBERED_S
    guard.resolved("media.internal", ["10.0.0.3"])
    connect(guard, "10.0.0.1", 443)  # a resolver may give some of a name's addresses in one answer, some in the next
    clock.now = 1.1 * REMEMBERED_S
    connect(guard, "10.0.0.3", 443)
    assert refused(lambda: connect(guard, "10.0.0.1", 443))


def test_a_name_that_comes_to_lead_outside_is_refused(guard, refusals):
    guard.resolved("media.internal", ["10.0.0.1"])
    connect(guard, "10.0.0.1", 443)
    guard.resolved("media.internal", ["8.8.8.8", "169.254.169.254"])
    assert refused(lambda: connect(guard, "8.8.8.8", 443))
    assert refused(lambda: connect(guard, "169.254.169.254", 443))
    assert [("8.8.8.8", 443), ("169.254.169.254", 443)] == [(each.host, each.port) for each in refusals]
    assert "add media.internal to egress.allowed_hosts" in refusals[0].why
    assert "credentials" in refusals[1].why


def test_only_names_of_the_settings_are_asked_for(guard, refusals):
    for name in ("media.internal", "MEDIA.internal.", b"media.internal", None, "", "10.1.1.1", "::1", "localhost"):
        guard.check_look_up("socket.getaddrinfo", name)
    assert refused(lambda: guard.check_look_up("socket.getaddrinfo", "data.exfiltrated.example.org"))
    assert [("socket.getaddrinfo", "data.exfiltrated.example.org")] == [(each.event, each.host) for each in refusals]


def test_a_connection_by_name_is_judged_by_all_its_addresses(guard):
    guard.resolved("media.internal", ["10.0.0.1", "8.8.8.8"])
    connect(guard, "media.internal", 443, answers=("10.0.0.1",))
    assert refused(lambda: connect(guard, "media.internal", 443, answers=("10.0.0.1", "8.8.8.8")))
    assert refused(lambda: connect(guard, "elsewhere.internal", 443, answers=("10.0.0.1",)))


def test_local_sockets_pass_and_other_families_do_not(guard):
    guard.check_connection("socket.connect", socket.AF_UNIX, "/run/some.sock", socket.getaddrinfo)
    guard.check_connection("socket.sendmsg", socket.AF_INET, None, socket.getaddrinfo)
    with pytest.raises(EgressRefused, match="address family"):
        guard.check_connection("socket.connect", socket.AF_VSOCK, (2, 1024), socket.getaddrinfo)


def test_without_enforcement_refusals_are_reported_and_nothing_is_stopped(refusals):
    guard = EgressGuard(MEDIA, refusals.append, enforce=False)
    connect(guard, "8.8.8.8", 443)
    guard.check_look_up("socket.getaddrinfo", "elsewhere.internal")
    guard.check_connection("socket.connect", socket.AF_VSOCK, (2, 1024), socket.getaddrinfo)
    assert 3 == len(refusals)


def test_a_refusal_is_an_error_of_the_operating_system_that_says_what_would_help(guard):
    with pytest.raises(PermissionError, match=r"8\.8\.8\.8 port 80: no setting names it; .* media\.internal:443"):
        connect(guard, "8.8.8.8", 80)


def test_each_refusal_is_counted_and_one_a_minute_is_written(clock):
    counted: list[None] = []
    report = refusals_to(lambda: counted.append(None), clock)
    with structlog.testing.capture_logs() as logs:
        for _ in range(100):
            report(Refusal("socket.connect", "8.8.8.8", 443, "no setting names it"))
        report(Refusal("socket.connect", "8.8.8.8", 80, "no setting names it"))
        clock.now = SAID_AGAIN_S
        report(Refusal("socket.connect", "8.8.8.8", 443, "no setting names it"))
    assert 102 == len(counted)
    assert [443, 80, 443] == [line["port"] for line in logs]
    assert {"egress_refused"} == {line["event"] for line in logs}
