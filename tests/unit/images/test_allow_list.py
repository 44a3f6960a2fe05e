"""A URI is allowed only if it truly lies below a prefix, however it is written."""

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.images.allow_list import AllowList

ALLOWED = AllowList.of(["https://media.internal/", "http://cdn.internal:8080/img/", "s3://uploads/eu/"])


@pytest.mark.parametrize(
    "uri",
    [
        "https://media.internal/a.jpg",
        "https://MEDIA.internal/a.jpg",
        "https://media.internal:443/a.jpg",
        "https://media.internal./a.jpg",
        "https://media.internal/a.jpg?signature=x",
        "http://cdn.internal:8080/img/a/b.png",
        "http://cdn.internal:8080/%69mg/b.png",
        "s3://uploads/eu/2026/a.jpg",
    ],
)
def test_what_lies_below_a_prefix_is_allowed(uri: str):
    assert ALLOWED.allows(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://media.internal.evil.com/a.jpg",
        "https://media.internal@evil.com/a.jpg",
        "https://user:secret@media.internal/a.jpg",
        "http://media.internal/a.jpg",
        "https://media.internal:8443/a.jpg",
        "https://media.internal\\@evil.com/a.jpg",
        "http://cdn.internal:8080/img/../secret.png",
        "http://cdn.internal:8080/img/%2e%2e/secret.png",
        "http://cdn.internal:8080/img%2f..%2fsecret.png",
        "http://cdn.internal:8080/images/a.png",
        "http://cdn.internal:8080/img",
        "s3://uploads/euro/a.jpg",
        "s3://uploads/eu",
        "s3://uploads-evil/eu/a.jpg",
        "https://media.internal/a\r\nHost: evil.com",
        "https://media.internal:port/a.jpg",
        "https://[media.internal/a.jpg",
        "ftp://media.internal/a.jpg",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(uri: str):
    assert not ALLOWED.allows(uri)


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("https://media.internal", "must end with a slash"),
        ("s3://uploads/eu", "must end with a slash"),
        ("file:///srv/", "must begin with one of"),
        ("https:///a/", "names no host"),
        ("https://a@b/", "credentials"),
    ],
)
def test_a_prefix_that_would_allow_too_much_is_an_error_that_names_it(prefix: str, why: str):
    with pytest.raises(ConfigurationError, match=why) as caught:
        AllowList.of(["s3://fine/", prefix])
    assert prefix in str(caught.value)


def test_without_prefixes_nothing_is_allowed():
    assert not AllowList.of([]).allows("https://media.internal/a.jpg")
