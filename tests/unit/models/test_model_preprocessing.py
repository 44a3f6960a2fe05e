import pytest

from checkpoints import PREPROCESSOR
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.preprocessing import (
    IDENTITY,
    Normalisation,
    read_geometry,
    read_normalisation,
)
from sluicegate_consumer.pixels import Geometry

CONVNEXT = {"image_processor_type": "ConvNextImageProcessor"}
CLIP = {"image_processor_type": "CLIPImageProcessor"}


@pytest.mark.parametrize(
    ("config", "geometry"),
    [
        (PREPROCESSOR, Geometry(64, 64, "bilinear")),
        (PREPROCESSOR | {"size": {"height": 384, "width": 256}}, Geometry(384, 256, "bilinear")),
        (PREPROCESSOR | {"size": 224, "resample": 3}, Geometry(224, 224, "bicubic")),
        (PREPROCESSOR | {"do_center_crop": True, "crop_size": 64}, Geometry(64, 64, "bilinear")),
        ({"feature_extractor_type": "ViTFeatureExtractor"}, Geometry(224, 224, "bilinear")),
        ({"image_processor_type": "ViTImageProcessorFast"}, Geometry(224, 224, "bilinear")),
        (CLIP, Geometry(224, 224, "bicubic", "shortest_edge", 224)),
        (CLIP | {"size": 256, "crop_size": 240}, Geometry(240, 240, "bicubic", "shortest_edge", 256)),
        (CONVNEXT, Geometry(384, 384, "bicubic")),
        (CONVNEXT | {"size": {"shortest_edge": 224}}, Geometry(224, 224, "bicubic", "shortest_edge", 256)),
        (CONVNEXT | {"size": 224, "crop_pct": 0.95}, Geometry(224, 224, "bicubic", "shortest_edge", 235)),
    ],
)
def test_every_supported_form_becomes_a_geometry(config, geometry):
    assert geometry == read_geometry(config)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({}, "image_processor_type"),
        ({"image_processor_type": "EfficientNetImageProcessor"}, "image_processor_type"),
        (PREPROCESSOR | {"do_resize": False}, "do_resize"),
        (PREPROCESSOR | {"do_pad": True}, "do_pad"),
        (PREPROCESSOR | {"resample": 6}, "resample"),
        (PREPROCESSOR | {"resample": "bilinear"}, "resample"),
        (PREPROCESSOR | {"size": {"shortest_edge": 224, "longest_edge": 384}}, "size"),
        (PREPROCESSOR | {"size": {"height": 224}}, "size"),
        (PREPROCESSOR | {"size": {"height": 0, "width": 224}}, "size"),
        (PREPROCESSOR | {"size": [224, 224]}, "size"),
        (PREPROCESSOR | {"do_center_crop": True, "crop_size": 32}, "crop_size"),
        (CLIP | {"do_center_crop": False}, "do_center_crop"),
        (CLIP | {"crop_size": 256}, "crop_size"),
        (CLIP | {"crop_size": {"shortest_edge": 224}}, "crop_size"),
        (CONVNEXT | {"do_center_crop": True}, "do_center_crop"),
        (CONVNEXT | {"size": {"shortest_edge": 224}, "crop_pct": 1.1}, "crop_pct"),
        (CONVNEXT | {"size": {"shortest_edge": 224}, "crop_pct": 0}, "crop_pct"),
        (CONVNEXT | {"size": {"height": 224, "width": 224}}, "size"),
    ],
)
def test_a_form_that_cannot_be_followed_exactly_is_refused_by_the_name_of_its_key(config, key):
    with pytest.raises(ConfigurationError, match=rf"preprocessor_config\.json: {key}: is .*, should be "):
        read_geometry(config)


def test_normalisation_is_read_and_folded_into_one_scale_and_shift():
    normalisation = read_normalisation(PREPROCESSOR | {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.4, 0.2]})

    for channel, (mean, std) in enumerate(((0.1, 0.5), (0.2, 0.4), (0.3, 0.2))):
        folded = 200 * normalisation.scale[channel] + normalisation.shift[channel]
        assert (200 / 255 - mean) / std == pytest.approx(folded)


def test_steps_that_are_switched_off_change_nothing():
    assert IDENTITY == read_normalisation(PREPROCESSOR | {"do_rescale": False, "do_normalize": False})
    assert Normalisation(1 / 255, (0, 0, 0), (1, 1, 1)) == read_normalisation(PREPROCESSOR | {"do_normalize": False})


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"image_std": [0.5, 0.0, 0.5]}, "image_std"),
        ({"image_std": [0.5, 0.5]}, "image_std"),
        ({"image_mean": 0.5}, "image_mean"),
        ({"image_mean": [0.5, "x", 0.5]}, "image_mean"),
        ({"rescale_factor": float("nan")}, "rescale_factor"),
    ],
)
def test_numbers_that_would_spoil_the_pixels_are_refused(config, key):
    with pytest.raises(ConfigurationError, match=key):
        read_normalisation(PREPROCESSOR | config)
