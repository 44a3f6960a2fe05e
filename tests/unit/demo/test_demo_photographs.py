from pathlib import Path

import pytest

from sluicegate_consumer.demo.photographs import DETAILS, PHOTOGRAPHS, copy_photographs, submissions
from sluicegate_consumer.errors import ConfigurationError


def test_every_file_is_uploaded_whatever_its_name_ends_in(tmp_path):
    for name in ("b.jpg", "a.txt", "no-ending", ".hidden", "below/c.PNG"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")

    found = submissions(tmp_path)

    assert [".hidden", "a.txt", "b.jpg", "below/c.PNG", "no-ending"] == [upload.name for upload in found]
    assert len(found) == len({upload.upload_id for upload in found})


def test_a_name_that_is_no_text_is_made_printable(tmp_path):
    (tmp_path / b"caf\xe9\n.jpg".decode(errors="surrogateescape")).write_bytes(b"x")

    (found,) = submissions(tmp_path)

    assert "caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.jpg" == found.name
    assert b"x" == found.path.read_bytes()


@pytest.mark.parametrize("make", [Path.resolve, Path.mkdir, Path.touch])
def test_what_holds_no_image_is_refused_with_its_name(tmp_path, make):
    folder = tmp_path / "images"
    make(folder)

    with pytest.raises(ConfigurationError, match=str(folder)):
        submissions(folder)


def test_the_default_set_is_there(tmp_path):
    copy_photographs(tmp_path)

    assert sorted([*PHOTOGRAPHS, *DETAILS]) == [upload.name for upload in submissions(tmp_path)]
    assert all(Path(upload.path).stat().st_size for upload in submissions(tmp_path))
