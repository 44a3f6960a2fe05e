"""What is computed from measurements, on measurements whose answer is known."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arithmetic import percentile, shared, slower, steady_rate
from uploading import poisson


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)], ids=["median", "p99", "worst", "best"]
)
def test_percentile_is_a_value_that_was_measured(share: float, expected: int):
    assert expected == percentile([*range(100, 0, -1)], share)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_at_least_the_share_of_all_values_do_not_exceed_the_percentile(values: list[float], share: float):
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert found in values


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_no_percentile_of_nothing(values: list[float], share: float):
    with pytest.raises(ValueError, match="quantile"):
        percentile(values, share)


@pytest.mark.parametrize("offset", [0, 5, 11, 15])
def test_rate_of_bursts_does_not_depend_on_where_the_counting_begins(offset: int):
    bursts = [second / 2 for second in range(20) for _ in range(16)]  # 16 twice a second
    assert steady_rate(bursts[offset : -offset or None]) == pytest.approx(32, rel=0.01)


def test_rate_of_a_steady_stream_is_exact_in_any_order():
    assert steady_rate([3.0, 1.0, 2.0, 1.5, 2.5]) == pytest.approx(2.0)


@pytest.mark.parametrize("moments", [[], [1.0], [2.0, 2.0]])
def test_no_rate_without_two_moments(moments: list[float]):
    with pytest.raises(ValueError, match="no rate"):
        steady_rate(moments)


def test_limits():
    assert slower(240, 40) == 40
    assert shared(240, 40) == pytest.approx(34.29, abs=0.01)


@given(st.floats(1, 1e4), st.floats(1, 1e4))
def test_the_shared_limit_is_below_both_and_at_least_half_of_the_slower(decode: float, model: float):
    both = shared(decode, model)
    assert both < slower(decode, model) <= 2 * both * (1 + 1e-9)


def test_arrivals_are_random_and_repeatable_and_as_many_as_asked_for():
    moments = list(poisson(200, 50, "seed"))
    assert moments == list(poisson(200, 50, "seed"))
    assert moments != list(poisson(200, 50, "another"))
    assert moments == sorted(moments)
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    gaps = [late - early for early, late in pairwise(moments)]
    assert percentile(gaps, 0.5) == pytest.approx(0.693 / 200, rel=0.1)  # of an exponential: ln 2 of its mean
