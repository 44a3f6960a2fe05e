"""Resizing and cropping, equal to the image processors of Hugging Face's transformers with their Pillow backend."""

from PIL import Image

from sluicegate_consumer.images.resize import is_quick, resized
from sluicegate_consumer.pixels import Geometry

QUARTER_TURNS = {
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
}


def to_geometry(image: Image.Image, geometry: Geometry, turn: Image.Transpose | None = None) -> Image.Image:
    """An RGB image at the model's size.

    Args:
        image: As it is stored.
        geometry: The model's.
        turn: What makes it upright. Done when the image is small already, where that comes to the same: far less
            is to be moved.
    """
    if turn is not None and not is_quick(geometry.resample):
        image, turn = image.transpose(turn), None  # Pillow's others depend on which side is resized first
    size = model_size(upright_size(image.size, turn), geometry)
    small = resized(image, upright_size(size, turn), geometry.resample)
    upright = small if turn is None else small.transpose(turn)
    if upright.size == (geometry.width, geometry.height):
        return upright
    # transformers' center_crop: offsets rounded down, and black where the image is the smaller one.
    left, top = (upright.width - geometry.width) // 2, (upright.height - geometry.height) // 2
    return upright.crop((left, top, left + geometry.width, top + geometry.height))


def upright_size(size: tuple[int, int], turn: Image.Transpose | None) -> tuple[int, int]:
    """Width and height after a turn; and, as a quarter turn is its own opposite in this, before it."""
    return size[::-1] if turn in QUARTER_TURNS else size


def model_size(size: tuple[int, int], geometry: Geometry) -> tuple[int, int]:
    """What an upright image of `size`, (width, height), is resized to before it is cropped."""
    width, height = size
    if geometry.mode == "exact" or geometry.shortest_edge is None:
        return geometry.width, geometry.height
    # transformers' get_resize_output_image_size(default_to_square=False): the longer side is rounded down.
    edge = geometry.shortest_edge
    if width <= height:
        return edge, int(edge * height / width)
    return int(edge * width / height), edge
