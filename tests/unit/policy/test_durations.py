from datetime import timedelta

import pytest

from sluicegate_consumer.policy.durations import duration_text, parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("90s", 90), ("10m", 600), ("2h", 7_200), ("1d", 86_400)])
def test_a_number_and_a_unit_are_a_duration(text, seconds):
    assert timedelta(seconds=seconds) == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "10", "m", "0s", "-1m", "1.5h", "10 m", "1h30m", "1w", "1m\n", "9999999s", 10, None]
)
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match="such as 90s, 10m, 2h or 1d"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "shortest"), [("90s", "90s"), ("60s", "1m"), ("120m", "2h"), ("24h", "1d")])
def test_a_duration_is_written_in_its_largest_whole_unit(text, shortest):
    assert shortest == duration_text(parse_duration(text))
