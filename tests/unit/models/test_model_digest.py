import hashlib

from sluicegate_consumer.models.digest import file_digest, files_digest


def test_one_files_digest_is_what_sha256sum_prints(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")

    assert "sha256:" + hashlib.sha256(b"weights").hexdigest() == file_digest(path)


def test_a_digest_does_not_depend_on_place_order_or_links(tmp_path):
    blobs, snapshot, copy = (tmp_path / name for name in ("blobs", "snapshot", "copy"))
    for directory in (blobs, snapshot, copy):
        directory.mkdir()
    for name, content in {"config.json": b"{}", "model.safetensors": b"weights"}.items():
        blob = blobs / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(blob)
        (copy / name).write_bytes(content)

    of_snapshot = files_digest(snapshot / name for name in ("config.json", "model.safetensors"))
    of_copy = files_digest(copy / name for name in ("model.safetensors", "config.json"))

    assert of_snapshot == of_copy


def test_a_digest_stays_the_same_from_version_to_version(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    layout = b"config.json\0" + bytes(7) + b"\x02{}" + b"model.safetensors\0" + bytes(7) + b"\x07weights"

    assert "sha256:" + hashlib.sha256(layout).hexdigest() == files_digest(tmp_path.iterdir())


def test_names_contents_and_the_boundary_between_files_all_count(tmp_path):
    def digest(files):
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        directory.mkdir()
        for name, content in files.items():
            (directory / name).write_bytes(content)
        return files_digest(directory.iterdir())

    variants = [
        {"a": b"12", "b": b"3"},
        {"a": b"1", "b": b"23"},
        {"a": b"12", "c": b"3"},
        {"a": b"12b3"},
        {"a": b"12", "b": b"3", "c": b""},
    ]

    assert len(variants) == len({digest(files) for files in variants})
