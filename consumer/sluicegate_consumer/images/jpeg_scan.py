"""Whether a JPEG's pixels lie in its file as one whole, by its markers alone (ITU-T T.81, annex B). Pure."""

import re

START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""Among coded pixels: 0xFF stands there before a zero, which is not meant, or in a restart marker, or else begins what
comes after them."""


def is_one_whole_scan(data: bytes) -> bool:
    """True if the coded pixels of the first scan reach to the end of the image, and that to the end of the file.

    So it is no progressive JPEG, it was not cut off, nothing was put in between, and nothing follows.
    """
    begin = _first_scan(data)
    if begin is None:
        return False
    found = MARKER.search(data, begin)
    return found is not None and found.group() == END_OF_IMAGE and found.end() == len(data)


def _first_scan(data: bytes) -> int | None:
    """Where its coded pixels begin: segments are skipped by their lengths, as they may hold another JPEG."""
    at = 2  # behind the marker that begins the image
    while data[at : at + 1] == b"\xff":
        marker = data[at : at + 2]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == START_OF_SCAN:
            return at
    return None
