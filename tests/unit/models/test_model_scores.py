import numpy as np
import pytest

from sluicegate_consumer.models.scores import probabilities, score_in_chunks


def test_exclusive_scores_add_up_to_one():
    scores = probabilities(np.array([[0.0, np.log(3.0)], [1000.0, -1000.0]], np.float32), exclusive=True)

    assert np.float32 == scores.dtype
    assert pytest.approx(np.array([[0.25, 0.75], [1.0, 0.0]])) == scores


def test_independent_scores_stand_alone():
    scores = probabilities(np.array([[0.0, np.log(3.0), 1000.0, -1000.0]], np.float32), exclusive=False)

    assert pytest.approx(np.array([[0.5, 0.75, 1.0, 0.0]])) == scores


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_spoils_its_own_frame_and_no_other(exclusive, bad):
    scores = probabilities(np.array([[bad, 1.0], [0.0, 0.0]], np.float16), exclusive=exclusive)

    assert np.isnan(scores[0]).all()
    assert [0.5, 0.5] == scores[1].tolist()


def test_chunks_are_no_larger_than_asked_and_keep_the_order():
    chunks = []

    def score(frames):
        chunks.append(len(frames))
        return np.array([[frame.mean()] for frame in frames], np.float32)

    frames = [np.full((2, 2, 3), value, np.uint8) for value in range(7)]

    assert [0, 1, 2, 3, 4, 5, 6] == score_in_chunks(frames, 3, score)[:, 0].tolist()
    assert [3, 3, 1] == chunks
