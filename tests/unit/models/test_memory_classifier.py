import numpy as np
import pytest

from sluicegate_consumer.models.memory import MemoryClassifier

DARK = np.zeros((16, 16, 3), np.uint8)
BRIGHT = np.full((16, 16, 3), 255, np.uint8)


def test_scores_are_the_given_function_of_each_frame_and_calls_are_kept():
    classifier = MemoryClassifier()

    assert [[1, 0], [0, 1], [1, 0]] == classifier.classify([DARK, BRIGHT, DARK]).tolist()
    classifier.classify([DARK])
    assert [3, 1] == classifier.calls


def test_what_the_function_raises_fails_the_batch_until_it_is_replaced():
    def refuse_bright(frame):
        if frame.max() == 255:
            raise RuntimeError("poison")
        return 1.0, 0.0

    classifier = MemoryClassifier(refuse_bright)

    with pytest.raises(RuntimeError, match="poison"):
        classifier.classify([DARK, BRIGHT])
    assert [[1, 0]] == classifier.classify([DARK]).tolist()
    classifier.score = lambda _: (0.5, 0.5)
    assert [[0.5, 0.5]] == classifier.classify([BRIGHT]).tolist()
