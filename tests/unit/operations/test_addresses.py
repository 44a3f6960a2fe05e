"""Inside or outside is told by a list; one address has one form."""

import pytest

from sluicegate_consumer.operations.addresses import is_public, plain_address


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("192.168.0.9", False),
        ("169.254.1.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("100.64.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("8.8.8.8", True),
        ("172.32.0.1", True),
        ("100.128.0.1", True),
        ("203.0.113.7", True),
        ("224.0.0.1", True),
        ("2001:4860:4860::8888", True),
        ("64:ff9b::808:808", True),
        ("::ffff:8.8.8.8", True),
    ],
)
def test_what_no_private_network_holds_is_outside(address, public):
    assert public == is_public(address)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("FE80::1%eth0", "fe80::1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("134744072", None),
        ("kafka", None),
        ("", None),
    ],
)
def test_an_address_has_one_plain_form(text, plain):
    assert plain == plain_address(text)


def test_a_name_is_no_address():
    with pytest.raises(ValueError, match="'kafka'"):
        is_public("kafka")
