"""What the demonstration uploads: every file of a folder, or a few photographs that scikit-image's wheel carries."""

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError

PHOTOGRAPHS = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "color.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
    "no_time_for_that_tiny.gif",  # an animation of 14 x 25 pixels: too few to judge
    "multipage_rgb.tif",  # of a kind that Pillow does not read
)

DETAILS = {
    "astronaut-detail.png": ("astronaut.png", (0, 384, 128, 512)),
    "coffee-detail.png": ("coffee.png", (450, 0, 600, 100)),
}
"""Parts of a photograph, as (left, top, right, bottom) in pixels, about which the embedded model is unsure: they score
between its bands, as real uploads do and whole, well-lit photographs rarely do."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One file and the id under which it is uploaded."""

    upload_id: str
    path: Path
    name: str
    """As shown: relative to the folder, and printable whatever bytes the file's name holds."""


def submissions(folder: Path) -> tuple[Submission, ...]:
    """Every file in the folder and below it, whatever its name ends in, ordered by name.

    Raises:
        ConfigurationError: it is no folder, or no file is in it.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"images: {folder} is not a folder; name one that holds the images to upload")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise ConfigurationError(f"images: there is no file in {folder}; put at least one image there")
    return tuple(
        Submission(f"upload-{number:04}", path, _printable(path.relative_to(folder)))
        for number, path in enumerate(paths, 1)
    )


def copy_photographs(folder: Path) -> None:
    """Put the default set into a folder.

    Raises:
        ConfigurationError: scikit-image is not installed.
    """
    from PIL import Image  # noqa: PLC0415 - heavy, and only the default set needs it

    spec = find_spec("skimage")  # not imported: its files are all that is wanted
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the photographs are not installed: pip install 'sluicegate[embedded]', or give a folder"
        )
    source = Path(spec.origin).parent / "data"
    for name in PHOTOGRAPHS:
        shutil.copyfile(source / name, folder / name)
    for name, (whole, box) in DETAILS.items():
        with Image.open(source / whole) as image:
            image.crop(box).save(folder / name)


def _printable(path: Path) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(path))
