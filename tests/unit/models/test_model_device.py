import os

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.device import choose_device
from sluicegate_consumer.operations.cores import usable_cores


@pytest.mark.parametrize(
    ("wanted", "cuda_devices", "chosen"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_cuda_is_taken_where_it_is_present_and_not_declined(wanted, cuda_devices, chosen):
    assert chosen == choose_device(wanted, cuda_devices)


@pytest.mark.parametrize(("wanted", "cuda_devices"), [("cuda", 0), ("cuda:1", 1)])
def test_a_device_that_is_not_there_is_refused_and_not_replaced(wanted, cuda_devices):
    with pytest.raises(ConfigurationError, match=rf"model\.device: is '{wanted}'.*sees {cuda_devices} CUDA"):
        choose_device(wanted, cuda_devices)


@pytest.mark.parametrize("wanted", ["gpu", "cuda:", "cuda:-1", "CPU", ""])
def test_a_word_that_names_no_device_is_refused(wanted):
    with pytest.raises(ConfigurationError, match="should be auto, cpu, cuda or cuda:N"):
        choose_device(wanted, 1)


@pytest.mark.parametrize(
    ("cpu_max", "cores"),
    [("50000 100000\n", 1), ("10000 100000\n", 1), ("max 100000\n", None), ("10000000 100000\n", None)],
)
def test_cores_are_bounded_by_the_containers_quota(tmp_path, cpu_max, cores):
    (tmp_path / "cpu.max").write_text(cpu_max)

    assert (cores or len(os.sched_getaffinity(0))) == usable_cores(tmp_path / "cpu.max")


def test_without_a_quota_the_affinity_counts(tmp_path):
    assert len(os.sched_getaffinity(0)) == usable_cores(tmp_path / "missing")
