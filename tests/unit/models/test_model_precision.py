"""What a CPU can do is read from the kernel's words; what lies near an edge is asked again."""

import numpy as np
import pytest

from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.models.precision import cpu_has_bfloat16
from sluicegate_consumer.models.rescoring import RescoringClassifier


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx512f avx512_bf16 sse", True), ("amx_bf16", True), ("fpu avx512f avx2", False), ("", False)],
)
def test_bfloat16_is_a_flag_of_the_cpu(tmp_path, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n")
    assert expected is cpu_has_bfloat16(tmp_path / "cpuinfo")


def test_a_machine_that_does_not_say_has_none(tmp_path):
    assert not cpu_has_bfloat16(tmp_path / "cpuinfo")


def frame(value: int) -> np.ndarray:
    return np.full((16, 16, 3), value, np.uint8)


def test_only_frames_near_an_edge_are_asked_again_and_keep_their_places():
    fast = MemoryClassifier(lambda frame: (0.5, frame.mean() / 255))
    exact = MemoryClassifier(lambda frame: (0.25, frame.mean() / 255))
    both = RescoringClassifier(fast, exact, lambda scores: scores[1] > 0.5)
    scores = both.classify([frame(250), frame(5), frame(200), frame(10)])
    assert [0.25, 0.5, 0.25, 0.5] == scores[:, 0].tolist()
    assert ([4], [2]) == (fast.calls, exact.calls)


def test_nothing_near_asks_nobody_again():
    fast, exact = MemoryClassifier(), MemoryClassifier()
    RescoringClassifier(fast, exact, lambda _: False).classify([frame(1)])
    assert [] == exact.calls


def test_not_a_number_stays_one():
    both = RescoringClassifier(MemoryClassifier(lambda _: (np.nan, np.nan)), MemoryClassifier(), lambda s: s[0] > 0)
    assert np.isnan(both.classify([frame(1)])).all()


def test_closing_closes_both():
    fast, exact = MemoryClassifier(), MemoryClassifier()
    RescoringClassifier(fast, exact, lambda _: False).close()
    assert fast.closed
    assert exact.closed
