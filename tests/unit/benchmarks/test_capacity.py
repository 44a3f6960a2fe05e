"""What a platform needs, from costs whose answer can be had by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity import Costs, devices, need

COSTS = Costs(
    images_per_s=50,
    cpu_s_per_image=0.04,
    memory_bytes=1e9,
    image_bytes=500_000,
    upload_bytes=400,
    verdict_bytes=1_600,
)


def test_a_thousand_uploads_each_second():
    found = need(1_000, COSTS, headroom=0.8)
    assert found.replicas == 25
    assert found.partitions == 64
    assert found.cores == pytest.approx(40)
    assert found.memory_bytes == pytest.approx(25e9)
    assert found.referring_bytes_per_s == pytest.approx(4e6)
    assert found.inline_bytes_per_s == pytest.approx(1_004e6)
    assert found.store_bytes_per_s == pytest.approx(500e6)
    assert found.log_bytes_per_day == pytest.approx(172.8e9)


@given(st.floats(0.1, 1e6), st.floats(0.1, 1e5), st.floats(0.05, 1))
def test_replicas_can_carry_the_load_and_each_has_two_partitions(rate: float, per_replica: float, headroom: float):
    found = need(rate, replace(COSTS, images_per_s=per_replica), headroom)
    assert found.replicas * per_replica * headroom >= rate * (1 - 1e-9)
    assert (found.replicas - 1) * per_replica * headroom < rate
    assert 2 * found.replicas <= found.partitions < 4 * found.replicas
    assert found.partitions & (found.partitions - 1) == 0


@pytest.mark.parametrize(("rate", "per_replica", "headroom"), [(0, 50, 0.7), (1, 0, 0.7), (1, 50, 0), (1, 50, 1.1)])
def test_what_makes_no_sense_is_refused(rate: float, per_replica: float, headroom: float):
    with pytest.raises(ValueError, match="must be positive"):
        need(rate, replace(COSTS, images_per_s=per_replica), headroom)


def test_devices_for_a_rate():
    assert devices(100_000, 5_000, headroom=0.7) == 29
    assert devices(1, 5_000) == 1
