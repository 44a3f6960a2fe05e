"""What is uploaded: the photographs of scikit-image's wheel, at the sizes that people upload.

The photographs are small. Enlarged, they hold no detail of a pixel's size and decode faster than what a camera makes,
so sensor noise is added after scaling: a JPEG then takes 0.2 to 0.3 bytes per pixel, as a telephone's does.
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SIZES = {"avatar": (64, 64), "0.3 MP": (640, 480), "2 MP": (1632, 1224), "12 MP": (4032, 3024)}
"""Width and height in pixels."""
NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg", "motorcycle_left.png")
NOISE = 4.0
"""Standard deviation of the sensor noise, of 255."""
QUALITY = 90
FRAMES = 24
"""Of an animation, 320x240 pixels each."""


def jpegs(directory: Path, size: str, count: int) -> list[Path]:
    """So many different JPEGs of a size that `SIZES` names; written below `directory` unless they are there."""
    folder = directory / size.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, (path, photograph) in enumerate(zip(paths, islice(_photographs(), count), strict=True)):
        if not path.exists():
            _taken(photograph, SIZES[size], number).save(path, "JPEG", quality=QUALITY)
    return paths


def gifs(directory: Path, count: int) -> list[Path]:
    """So many animations: a view of 320x240 pixels that moves over a photograph."""
    folder = directory / "gif"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.gif" for number in range(count)]
    for path, photograph in zip(paths, islice(_photographs(), count), strict=True):
        if not path.exists():
            large = ImageOps.fit(photograph, (480, 360), Image.Resampling.LANCZOS)
            frames = [large.crop((4 * step, 3 * step, 4 * step + 320, 3 * step + 240)) for step in range(FRAMES)]
            frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0)
    return paths


def bytes_per_pixel(paths: Sequence[Path]) -> float:
    """Of encoded images, on average over their pixels."""
    pixels = 0
    for path in paths:
        with Image.open(path) as image:
            pixels += image.width * image.height
    return sum(path.stat().st_size for path in paths) / pixels


def carried_images() -> Path:
    """The folder of the images that scikit-image's wheel carries.

    Raises:
        SystemExit: it is not installed.
    """
    spec = find_spec("skimage")  # not imported: its files are all that is wanted
    if spec is None or spec.origin is None:
        raise SystemExit("scikit-image is missing: pip install 'sluicegate[embedded]'")
    return Path(spec.origin).parent / "data"


def _photographs() -> Iterator[Image.Image]:
    folder = carried_images()
    for name in cycle(NAMES):
        with Image.open(folder / name) as image:
            yield image.convert("RGB")


def _taken(photograph: Image.Image, size: tuple[int, int], seed: int) -> Image.Image:
    """Cropped and scaled to `size`, each seed a little differently, with a sensor's noise."""
    random = np.random.default_rng(seed)
    centre = (0.3 + 0.4 * random.random(), 0.3 + 0.4 * random.random())
    scaled = np.asarray(ImageOps.fit(photograph, size, Image.Resampling.LANCZOS, 0.05 * random.random(), centre))
    noise = random.normal(0.0, NOISE, scaled.shape[:2])[..., None]
    return Image.fromarray(np.clip(scaled + noise, 0, 255).astype(np.uint8))
