"""Images on disk: the sizes that were written, whatever the form; and no harm from those that are broken or mean it."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import time
from pathlib import Path

import pytest

from tests.scenario.images.layouts import layer, oci_layout, packed, saved
from vsim.errors import InputError
from vsim.scenario.images import read_description, read_stored, to_data

BASE, APP, OTHER = layer("base", 50_000), layer("app", 2000, files=3), layer("other", 100)


def test_an_oci_layout_as_a_folder_and_as_an_archive(tmp_path: Path) -> None:
    folder = oci_layout(tmp_path / "layout", {"app:1": [BASE, APP]})
    for where in (folder, packed(folder, tmp_path / "layout.tar")):
        (image,) = read_stored(where)
        assert (image.name, image.platform) == ("app:1", "linux/arm/v7")
        sizes = [(one.compressed_bytes, one.uncompressed_bytes, one.files, one.created_by) for one in image.layers]
        assert sizes == [
            (len(gzip.compress(BASE, mtime=0)), len(BASE), 1, "RUN make app:1"),
            (len(gzip.compress(APP, mtime=0)), len(APP), 3, "COPY 1 /"),
        ]


def test_what_docker_save_writes(tmp_path: Path) -> None:
    first, second = read_stored(saved(tmp_path / "saved.tar", {"a:1": [BASE, APP], "b:1": [BASE, OTHER]}))
    assert [one.uncompressed_bytes for one in first.layers] == [len(BASE), len(APP)]
    assert [one.compressed_bytes for one in first.layers] == [None, None]
    assert (first.name, second.name, first.platform) == ("a:1", "b:1", "linux/amd64")
    assert first.to_image(3)[0].shared_with(second.to_image(3)[0])[0].uncompressed_bytes == len(BASE)


def test_sizes_that_are_not_known_are_estimated(tmp_path: Path) -> None:
    (image,) = read_stored(saved(tmp_path / "saved.tar", {"a:1": [BASE]}))
    made, estimated = image.to_image(2.5)
    assert estimated
    assert made.compressed_bytes == round(len(BASE) / 2.5)


def test_attestations_are_no_images(tmp_path: Path) -> None:
    folder = oci_layout(tmp_path / "layout", {"app": [APP]})
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    attestation = {**index["manifests"][0], "platform": {"os": "unknown", "architecture": "unknown"}}
    index["manifests"].append(attestation)
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    assert len(read_stored(folder)) == 1


def test_a_description_can_be_written_and_read_again(tmp_path: Path) -> None:
    images = read_stored(oci_layout(tmp_path / "layout", {"app:1": [BASE, APP]}))
    path = tmp_path / "images.json"
    path.write_text(json.dumps(to_data(images)), encoding="utf-8")
    again = read_description(path)
    assert [(one.name, one.platform, one.layers) for one in again] == [
        (one.name, one.platform, one.layers) for one in images
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("{}", 1, "isn't a description of images"),
        ("schema: vsim.images/1\nimages: []\n", 2, "must be a list of images"),
        ("schema: vsim.images/1\nimages:\n- name: a\n", 3, "a list of `layers`"),
        ("schema: vsim.images/1\nimages:\n- layers:\n  - digest: ''\n", 4, "a layer has a `digest`"),
        ("schema: vsim.images/1\nimages:\n- layers:\n  - digest: a\n", 4, "`compressed_bytes` or `uncompressed_bytes`"),
        ("schema: vsim.images/1\nimages:\n- layers:\n  - digest: a\n    compressed_bytes: 5 MB\n", 5, "whole number"),
        ("schema: vsim.images/1\nimages:\n- layers:\n  - digest: a\n    files: -1\n", 5, "whole number"),
    ],
)
def test_a_bad_description_is_refused_where_it_is_bad(text: str, line: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "images.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_description(path)
    assert caught.value.place is not None
    assert caught.value.place.line == line
    assert message in caught.value.message


def broken(folder: Path, what: str) -> Path:
    """Return the layout with something wrong with it."""
    blobs = sorted((folder / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    large = next(path for path in blobs if path.read_bytes().startswith(b"\x1f\x8b"))
    if what == "missing":
        large.unlink()
    elif what == "cut":
        large.write_bytes(large.read_bytes()[:-30])
    elif what == "changed":
        # the config: small, and JSON
        small = next(path for path in blobs if b"rootfs" in path.read_bytes())
        small.write_bytes(small.read_bytes().replace(b"arm", b"ARM"))
    elif what == "traversal":
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        index["manifests"][0]["digest"] = "sha256:../../../../etc/passwd"
        (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    elif what == "link":
        secret = folder.parent / "secret"
        secret.write_bytes(large.read_bytes())
        large.unlink()
        large.symlink_to(secret)
    elif what == "no index":
        (folder / "index.json").unlink()
    elif what == "no json":
        (folder / "index.json").write_text("hello", encoding="utf-8")
    elif what == "deep":
        (folder / "index.json").write_text("[" * 100_000, encoding="utf-8")
    elif what == "no list":
        (folder / "index.json").write_text('{"manifests": {}}', encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "is missing"),
        ("cut", "what is compressed ends too early"),
        ("changed", "isn't what its digest says"),
        ("traversal", "isn't a digest"),
        ("link", "is missing"),
        ("no index", "neither index.json nor manifest.json"),
        ("no json", "isn't JSON"),
        ("deep", "isn't JSON"),
        ("no list", "has no list of manifests"),
    ],
)
def test_a_broken_layout_is_refused(what: str, message: str, tmp_path: Path) -> None:
    folder = broken(oci_layout(tmp_path / "layout", {"app": [BASE, APP]}), what)
    with pytest.raises(InputError, match=message) as caught:
        read_stored(folder)
    assert caught.value.hint


def test_an_archive_that_names_what_is_outside_is_refused(tmp_path: Path) -> None:
    import io
    import tarfile

    target = tmp_path / "evil.tar"
    with tarfile.open(target, "w") as archive:
        data = json.dumps([{"Config": "../../etc/passwd", "Layers": ["/etc/shadow"]}]).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    with pytest.raises(InputError, match="which isn't in it"):
        read_stored(target)


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 500, encoding="utf-8")
    with pytest.raises(InputError, match="isn't a tar archive"):
        read_stored(tmp_path / "text")
    (tmp_path / "packed.tar.gz").write_bytes(gzip.compress(BASE))
    with pytest.raises(InputError) as caught:
        read_stored(tmp_path / "packed.tar.gz")
    assert caught.value.hint == "unpack it first: gunzip"
    with pytest.raises(InputError, match="can't be read"):
        read_stored(tmp_path / "none")
    with pytest.raises(InputError, match="neither a folder nor a file"):
        read_stored("/dev/null")


@pytest.mark.parametrize("form", ["layout", "saved"])
def test_spoilt_archives_are_read_or_refused(form: str, tmp_path: Path) -> None:
    if form == "layout":
        original = packed(oci_layout(tmp_path / "layout", {"app": [APP]}), tmp_path / "a.tar").read_bytes()
    else:
        original = saved(tmp_path / "a.tar", {"a:1": [APP]}).read_bytes()
    target = tmp_path / "spoilt.tar"
    for seed in range(150):
        numbers = random.Random(seed)
        data = bytearray(original)
        for _ in range(numbers.randint(1, 4)):
            at = numbers.randrange(len(data))
            data[at : at + numbers.choice([0, 1, 1, 8, 600])] = numbers.randbytes(numbers.choice([1, 1, 8, 512]))
        target.write_bytes(data)
        begin = time.process_time()
        with contextlib.suppress(InputError):
            read_stored(target)
        assert time.process_time() - begin < 2
