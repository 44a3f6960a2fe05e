"""What cannot be an upload is refused before anything is sent, and the message says why."""

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from sluicegate_producer.bulk import expand, is_uri
from sluicegate_producer.candidates import (
    image_in,
    reference_to,
    reference_to_file,
    require_fits,
    require_image,
    upload,
)
from sluicegate_producer.errors import NotAnUpload
from sluicegate_producer.media_type import media_type_of


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
    ],
)
def test_sixteen_bytes_tell_every_format(form, media_type):
    register_heif_opener()
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, form)
    assert media_type == media_type_of(file.getvalue()[:16])


@pytest.mark.parametrize("data", [b"", b"<html>", b"%PDF-1.7", b"\x00" * 16, b"    ftypisom", b"RIFF    WAVE"])
def test_what_is_no_image_has_no_media_type(data):
    assert media_type_of(data) is None


@pytest.mark.parametrize(("data", "why"), [(b"", "x is empty"), (b"<html>", "x is not an image: JPEG, PNG")])
def test_bytes_that_are_no_image_are_refused(data, why):
    with pytest.raises(NotAnUpload, match=why):
        require_image(data, "x")


def test_an_image_too_large_for_its_record_is_refused_with_the_way_out():
    require_fits(bytes(10), 10, "x")
    with pytest.raises(NotAnUpload, match="has 11 bytes: inline the limit is 10; publish a reference"):
        require_fits(bytes(11), 10, "x")


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("ftp://host/a.jpg", "begins with none of file://, s3://"),
        ("a.jpg", "begins with none of"),
        ("https://me:secret@host/a.jpg", "holds credentials"),
        ("s3://bucket", "names no object"),
        ("s3://bucket/", "names no object"),
        ("https://[host/a.jpg", r"'https://\[host/a.jpg' is not a URI"),
        ("https://me:secret@[host/a.jpg", r"https://\*\*\* is not a URI"),
        ("ftp://me:secret@host/a.jpg", "holds credentials"),
        (f"s3://b/{'a' * 5000}", r"'s3://b/a+'\.\.\. \(5007 characters\) cannot be .* at most 4096 characters$"),
        ("s3://b/\udcff", r"'s3://b/\\udcff' cannot be referred to by its URI"),
        ("s3://b/a\0s3://b/b\0", "holds a NUL character: give one name a line"),
    ],
)
def test_a_uri_that_no_consumer_could_follow_is_refused(uri, why):
    with pytest.raises(NotAnUpload, match=why) as caught:
        reference_to(uri)
    assert "secret" not in str(caught.value)


def test_a_file_is_referred_to_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("a b", "PNG")
    reference = reference_to_file(Path("a b"))
    size = (tmp_path / "a b").stat().st_size
    assert (f"{tmp_path.as_uri()}/a%20b", "image/png", size) == (reference.uri, reference.media_type, reference.size)


@pytest.mark.parametrize(
    ("name", "why"), [("nothing", "No such file"), ("", "Is a directory"), ("text", "not an image")]
)
def test_a_file_that_is_none_or_no_image_is_refused(tmp_path: Path, name: str, why: str):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(NotAnUpload, match=why):
        reference_to_file(tmp_path / name)


@pytest.mark.parametrize("read", [reference_to_file, image_in])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a" * 300, r"'a+'\.\.\. \(300 characters\): File name too long"),
        ("a.jpg\0b.jpg\0", r"'a\.jpg\\x00b\.jpg\\x00' holds a NUL character: give one name a line"),
        ("\ud800", r"'\\ud800': "),
    ],
)
def test_a_name_that_no_file_could_have_is_refused(read, name: str, why: str):
    with pytest.raises(NotAnUpload, match=why):
        read(Path(name))


def test_a_file_whose_uri_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    deep = Path(*["\u00e9" * 100] * 8)  # each letter takes six characters of a URI
    deep.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(deep / "image", "PNG")
    with pytest.raises(NotAnUpload, match=r"cannot be referred to by its URI: .* at most 4096 characters"):
        reference_to_file(deep / "image")
    assert image_in(deep / "image")


def test_a_field_that_the_schema_does_not_take_is_named():
    with pytest.raises(NotAnUpload, match="tenant"):
        upload(upload_id="a", tenant="a b", surface="x", policy="y", uploaded_at=None, image=None)


def test_an_upload_without_id_and_time_gets_both():
    made = [upload(upload_id=None, tenant="t", surface="s", policy="p", uploaded_at=None, image=None) for _ in range(2)]
    assert made[0].upload_id != made[1].upload_id
    assert made[0].uploaded_at.utcoffset().total_seconds() == 0


def test_folders_are_replaced_by_every_file_in_them(tmp_path: Path):
    (tmp_path / "folder" / "deeper").mkdir(parents=True)
    for name in ("b.jpg", "a", "deeper/c.txt"):
        (tmp_path / "folder" / name).touch()
    names = [str(tmp_path / "folder"), "s3://bucket/key", "nothing"]
    root = f"{tmp_path}/folder"
    assert [f"{root}/a", f"{root}/b.jpg", f"{root}/deeper/c.txt", "s3://bucket/key", "nothing"] == list(expand(names))
    assert [False, True] == [is_uri(name) for name in ("/a/b", "http://a/b")]


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "\ud800", "/" + "a/" * 3000])
def test_a_name_that_no_folder_could_have_stays_to_be_refused(name: str):
    assert [name, "s3://bucket/key"] == list(expand([name, "s3://bucket/key"]))


def test_a_folder_that_cannot_be_listed_takes_the_place_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("locked/hidden", "open/seen"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    scandir = os.scandir

    def guarded(path: str) -> Iterator[os.DirEntry[str]]:  # a mode would not keep root out
        if path == str(tmp_path / "locked"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert [f"{tmp_path}/locked", f"{tmp_path}/open/seen"] == list(expand([str(tmp_path)]))


def test_of_what_is_no_file_only_what_might_be_one_stays(tmp_path: Path):
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert [f"{tmp_path}/dangling"] == list(expand([str(tmp_path)]))
