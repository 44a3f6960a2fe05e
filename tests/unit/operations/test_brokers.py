"""Brokers are checked where they are set, and not by a client that fails in the midst of connecting."""

import pytest
from aiokafka.conn import collect_hosts
from pydantic import ValidationError

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.egress import Egress
from sluicegate_consumer.operations.settings import KafkaSettings, Settings, load_settings


@pytest.mark.parametrize(
    ("text", "brokers"),
    [
        ("localhost", [("localhost", 9092)]),
        ("broker-1.kafka.svc:9093, broker_2:1", [("broker-1.kafka.svc", 9093), ("broker_2", 1)]),
        ("10.0.0.7:65535", [("10.0.0.7", 65535)]),
        ("[fd00::7]:9093,[::1]", [("fd00::7", 9093), ("::1", 9092)]),
        ("b\u00fcro.example.:9092", [("b\u00fcro.example.", 9092)]),
    ],
)
def test_what_is_taken_the_client_understands(text, brokers):
    kafka = KafkaSettings(bootstrap_servers=text)
    assert brokers == [(host, port) for host, port, _ in collect_hosts(kafka.bootstrap_servers, randomize=False)]
    destinations = Egress.of(Settings(kafka=kafka), {}).destinations
    assert len(brokers) == sum(each.key == "kafka.bootstrap_servers" for each in destinations)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a:b:c", "is neither host nor host:port: write each as host:port, for example broker-1:9092"),
        ("", "is empty"),
        ("a:1,", "broker 2 of 2 is empty"),
        ("a:1,b:2:3", "broker 2 of 2 is neither"),
        ("a:", "is neither"),
        ("a:x", "is neither"),
        ("a:0", "has a port that is not between 1 and 65535"),
        ("a:65536", "has a port that is not"),
        ("a:\u0663", "is neither"),
        ("::1", "is neither"),
        ("[::1", "is neither"),
        ("[::1]9092", "is neither"),
        ("[a]:9092", "has in its brackets no IPv6 address"),
        ("kafka://a:9092", "is neither"),
        ("a b:9092", "is neither"),
        ("a..b:9092", "has a host that is no name"),
        ("a" * 64, "has a host that is no name"),
    ],
)
def test_what_is_no_broker_is_refused_with_what_would_be_right(text, why):
    with pytest.raises(ValidationError) as caught:
        KafkaSettings(bootstrap_servers=text)
    assert caught.value.errors()[0]["msg"].startswith(why)


def test_the_message_names_key_variable_and_value(monkeypatch):
    monkeypatch.setenv("SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS", "a:b:c")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "kafka.bootstrap_servers (SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS): is neither host nor" in str(caught.value)
    assert str(caught.value).endswith("(is 'a:b:c')")
