"""What may be reached follows from the settings, and from what a Kafka cluster says of itself."""

from typing import get_args, get_origin

import pytest
from pydantic import AnyHttpUrl

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.egress import Egress, Enforcement, Verdict
from sluicegate_consumer.operations.settings import (
    EgressSettings,
    FetchSettings,
    KafkaSettings,
    OllamaSettings,
    Settings,
)
from sluicegate_consumer.operations.settings_catalogue import entries


def egress(environment: dict[str, str] | None = None, **sections: object) -> Egress:
    given = {
        "kafka": KafkaSettings(bootstrap_servers="Kafka-1.internal:9093, [fd00::1]"),
        "ollama": OllamaSettings(urls=(AnyHttpUrl("http://ollama.internal:11434"),)),
    } | sections
    return Egress.of(Settings().model_copy(update=given), environment or {})


def reached(found: Egress, enforcement: Enforcement) -> set[str]:
    return {str(each) for each in found.destinations if each.enforcement is enforcement and not each.credentials}


def test_every_setting_that_names_a_host_adds_it_with_its_port():
    prefixes = ("https://media.internal/avatars/", "http://[::ffff:10.0.0.9]:8080/", "s3://uploads/")
    options = {"aws_endpoint": "http://minio.internal:9000"}
    found = egress(fetch=FetchSettings(allowed_uri_prefixes=prefixes, store_options=options))
    assert {
        "kafka-1.internal:9093",
        "[fd00::1]:9092",
        "ollama.internal:11434",
        "media.internal:443",
        "10.0.0.9:8080",
    } == reached(found, Enforcement.AUDIT_HOOK)
    assert {"minio.internal:9000"} == reached(found, Enforcement.ALLOW_LIST)


def test_no_url_among_the_settings_was_forgotten():
    for entry in entries(Settings):
        annotation = entry.field.annotation
        if AnyHttpUrl in (annotation, *get_args(annotation)):
            section, name = entry.path
            url = "http://named.internal:4321"
            value = [url] if get_origin(annotation) is tuple else url
            found = Egress.of(Settings(**{section: {name: value}}), {})
            assert "named.internal:4321" in reached(found, Enforcement.AUDIT_HOOK), entry.key


def test_credentials_are_asked_for_only_where_there_is_an_object_store():
    assert not any(each.credentials for each in egress().destinations)
    stores = egress(fetch=FetchSettings(allowed_uri_prefixes=("gs://uploads/",)))
    assert {"169.254.169.254", "metadata.google.internal"} <= {
        each.host for each in stores.destinations if each.credentials
    }
    assert not any(each.credentials for each in stores.hooked())


@pytest.mark.parametrize(
    "prefix", ["s3://uploads/", "S3://uploads/", "http://media.internal/", "HTTP://media.internal/"]
)
def test_a_place_is_looked_at_however_its_scheme_is_written(prefix):
    named = {each.host for each in egress(fetch=FetchSettings(allowed_uri_prefixes=(prefix,))).destinations}
    assert named & {".amazonaws.com", "media.internal"}


def test_an_endpoint_may_come_from_the_environment_and_a_credentials_url_places_no_store():
    fetch = FetchSettings(allowed_uri_prefixes=("s3://uploads/",))
    placed = egress({"AWS_ENDPOINT_URL": "http://ceph.internal", "PATH": "/bin"}, fetch=fetch)
    assert {"ceph.internal:80"} == reached(placed, Enforcement.ALLOW_LIST)
    pod = egress({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}, fetch=fetch)
    assert {".amazonaws.com"} == reached(pod, Enforcement.ALLOW_LIST)


@pytest.mark.parametrize(
    ("allowed", "verdict"),
    [
        ((), Verdict.PUBLIC),
        ((".amazonaws.com",), Verdict.ALLOWED),
        (("s3.eu-west-1.amazonaws.com",), Verdict.ALLOWED),
        ((".example.org",), Verdict.PUBLIC),
        (("notamazonaws.com",), Verdict.PUBLIC),
    ],
)
def test_a_store_of_the_cloud_without_an_endpoint_is_public_unless_its_provider_is_named(allowed, verdict):
    fetch = FetchSettings(allowed_uri_prefixes=("s3://uploads/",))
    found = egress(fetch=fetch, egress=EgressSettings(allowed_hosts=allowed))
    (store,) = (each for each in found.destinations if each.key.startswith("fetch") and not each.credentials)
    assert verdict == found.judge_domain(store.host)


@pytest.mark.parametrize(
    ("allowed", "address", "verdict"),
    [
        ((), "10.0.0.1", Verdict.INSIDE),
        ((), "8.8.8.8", Verdict.PUBLIC),
        (("ollama.internal",), "8.8.8.8", Verdict.ALLOWED),
        (("Ollama.Internal.",), "8.8.8.8", Verdict.ALLOWED),
        ((".internal",), "8.8.8.8", Verdict.ALLOWED),
        (("internal",), "8.8.8.8", Verdict.PUBLIC),
        (("8.8.8.8",), "8.8.8.8", Verdict.PUBLIC),
        ((), "169.254.169.254", Verdict.METADATA),
        ((), "fd00:ec2::254", Verdict.METADATA),
        ((), "fd20:ce::254", Verdict.METADATA),
        ((), "fd00:ec3::254", Verdict.INSIDE),
    ],
)
def test_a_public_address_is_allowed_by_the_name_of_its_host(allowed, address, verdict):
    assert verdict == egress(egress=EgressSettings(allowed_hosts=allowed)).judge("ollama.internal", address)


@pytest.mark.parametrize(
    "text", ["https://media.example.org", "media.example.org:443", "*.example.org", ".", "a/b", ""]
)
def test_what_is_no_host_cannot_be_allowed(text):
    with pytest.raises(ConfigurationError, match=r"egress\.allowed_hosts: .* is no host"):
        egress(egress=EgressSettings(allowed_hosts=(text,)))


def test_a_port_that_is_none_is_named():
    with pytest.raises(ConfigurationError, match=r"fetch\.allowed_uri_prefixes: 'https://media:port/'"):
        egress(fetch=FetchSettings(allowed_uri_prefixes=("https://media:port/",)))


def test_a_connection_goes_to_a_named_host_and_its_port_alone():
    found = egress()
    assert found.why_refused("10.0.0.7", 11434, {"10.0.0.7", "ollama.internal"}) is None
    assert found.why_refused("fd00::1", 9092, {"fd00::1"}) is None
    for address, port, names in (
        ("10.0.0.7", 22, {"10.0.0.7", "ollama.internal"}),
        ("10.0.0.7", 11434, {"10.0.0.7"}),
        ("10.0.0.7", 11434, {"10.0.0.7", "elsewhere.internal"}),
    ):
        why = found.why_refused(address, port, names)
        assert why is not None
        assert why.startswith("no setting names it; what may be reached: kafka-1.internal:9093, [fd00::1]:9092")


def test_a_named_host_at_a_public_address_is_refused_with_the_setting_that_would_allow_it():
    why = egress().why_refused("8.8.8.8", 11434, {"8.8.8.8", "ollama.internal"})
    assert "a public address of ollama.internal: add ollama.internal to egress.allowed_hosts" in str(why)
    allowed = egress(egress=EgressSettings(allowed_hosts=("ollama.internal",)))
    assert allowed.why_refused("8.8.8.8", 11434, {"8.8.8.8", "ollama.internal"}) is None


def test_brokers_that_the_cluster_names_are_added_but_not_trusted():
    found = egress().including([("kafka-2.internal", 9093), ("KAFKA-1.internal", 9093), ("8.8.8.8", 9093)])
    assert found.may_look_up("kafka-2.internal")
    assert found.why_refused("10.0.0.2", 9093, {"10.0.0.2", "kafka-2.internal"}) is None
    assert "add 8.8.8.8 to egress.allowed_hosts" in str(found.why_refused("8.8.8.8", 9093, {"8.8.8.8"}))
    assert found is found.including([("kafka-2.internal", 9093)])


def test_a_message_names_no_more_than_can_be_read():
    brokers = egress().including((f"kafka-{number}.internal", 9092) for number in range(200))
    assert str(brokers).endswith("and 191 more")
    assert "nothing" == str(Egress())
