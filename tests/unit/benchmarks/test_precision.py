"""What the comparison of precisions says of scores that were made up."""

import numpy as np
import pytest
from PIL import Image

from crops import as_taken, distorted, photographs
from precision import MARGINS, Compared, error_table, margin_table, second_looks
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.pixels import Geometry
from sluicegate_consumer.policy.load import load_policy

GEOMETRY = Geometry(24, 32)
CARD = ModelCard(
    name="OwenElliott/image-safety-classifier-s",
    digest="sha256:" + 64 * "0",
    labels=("NSFL", "NSFW", "SFW"),
    geometry=GEOMETRY,
    exclusive=True,
    device="cpu",
    runtime="made up",
    precision="bfloat16",
)


def scores(*sexual):
    return np.array([[0.0, score, 1 - score] for score in sexual])


@pytest.fixture
def over_an_edge():
    """Of four frames one is carried over the edge at 0.85, by 0.02, and one lies far from all edges."""
    return Compared("made up", fast=scores(0.84, 0.849, 0.02, 0.3), exact=scores(0.86, 0.849, 0.02, 0.3))


def test_a_second_look_at_what_is_near_an_edge_leaves_no_decision_that_is_wrong(over_an_edge):
    none, *some = second_looks(over_an_edge, load_policy(None), CARD)
    assert (0.0, 0.0, 1) == (none.margin, none.looks, none.otherwise)
    narrowest, *_ = some
    assert (MARGINS[0], 0.5, 0) == (narrowest.margin, narrowest.looks, narrowest.otherwise)
    assert [look.looks for look in some] == sorted(look.looks for look in some)


def test_what_is_off_by_more_than_the_margin_stays_wrong():
    found = Compared("made up", fast=scores(0.05), exact=scores(0.9))
    assert [1] * (1 + len(MARGINS)) == [look.otherwise for look in second_looks(found, load_policy(None), CARD)]


def test_the_tables_say_by_how_much_and_at_what_cost(over_an_edge):
    looks = second_looks(over_an_edge, load_policy(None), CARD)
    assert "| made up | 4 | 0.019 | 0.020 | 0.020 | 0.152 |" in error_table([over_an_edge])
    assert "| no second look | 0.0% | 1 |\n| 0.02 | 50.0% | 0 |\n" in margin_table([over_an_edge], [looks])


@pytest.mark.parametrize("take", [as_taken, distorted])
def test_the_same_seed_gives_the_same_frames_all_different(take, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "b.txt").write_text("no image")
    Image.new("RGB", (100, 100)).save(tmp_path / "small.png")
    pictures = photographs(tmp_path)
    assert 1 == len(pictures)
    frames, again = (list(take(pictures, GEOMETRY, 8, seed=3)) for _ in range(2))
    assert all((24, 32, 3) == frame.shape and frame.dtype == np.uint8 for frame in frames)
    assert all(np.array_equal(one, other) for one, other in zip(frames, again, strict=True))
    assert 8 == len({frame.tobytes() for frame in frames})


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"--images .*: holds no image of 128 pixels or more"):
        photographs(tmp_path)
