"""Resizing and cropping, equal to the image processors of Hugging Face's transformers with their Pillow backend."""

from PIL import Image

from sluicegate_consumer.pixels import Geometry, Resample

FILTERS: dict[Resample, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


def to_geometry(image: Image.Image, geometry: Geometry) -> Image.Image:
    """An RGB image at the model's size."""
    resized = image.resize(_size(image, geometry), FILTERS[geometry.resample])
    if resized.size == (geometry.width, geometry.height):
        return resized
    # transformers' center_crop: offsets rounded down, and black where the image is the smaller one.
    left, top = (resized.width - geometry.width) // 2, (resized.height - geometry.height) // 2
    return resized.crop((left, top, left + geometry.width, top + geometry.height))


def _size(image: Image.Image, geometry: Geometry) -> tuple[int, int]:
    if geometry.mode == "exact" or geometry.shortest_edge is None:
        return geometry.width, geometry.height
    # transformers' get_resize_output_image_size(default_to_square=False): the longer side is rounded down.
    edge = geometry.shortest_edge
    if image.width <= image.height:
        return edge, int(edge * image.height / image.width)
    return int(edge * image.width / image.height), edge
