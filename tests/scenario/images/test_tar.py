"""The reader of archives against Python's own, and against archives that mean harm."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsim.scenario.images.tar import BadArchive, LayerMeter, Sink, TarReader


def archive(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as made:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read(data: bytes, piece: int = 700) -> dict[str, bytes]:
    found: dict[str, bytearray] = {}

    def member(name: str, size: int, link: str) -> Sink:
        found[name] = bytearray()
        return found[name].extend

    reader = TarReader(member)
    for at in range(0, len(data), piece):
        reader.feed(data[at : at + piece])
    reader.end()
    return {name: bytes(content) for name, content in found.items()}


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\n/"), min_size=1, max_size=200)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    members=st.dictionaries(NAMES, st.binary(max_size=2000), max_size=5),
    form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    piece=st.integers(1, 3000),
)
def test_it_reads_what_pythons_tarfile_writes(members: dict[str, bytes], form: int, piece: int) -> None:
    data = archive(*members.items(), form=form)
    assert read(data, piece) == members
    with tarfile.open(fileobj=io.BytesIO(data)) as other:
        assert [member.name for member in other.getmembers()] == list(members)


def test_links_and_folders_are_entries_without_content() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name, kind, target in (
            ("d", tarfile.DIRTYPE, ""),
            ("l", tarfile.SYMTYPE, "../x"),
            ("h", tarfile.LNKTYPE, "d"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            made.addfile(info)
    seen: list[tuple[str, int, str]] = []
    reader = TarReader(lambda *member: seen.append(member))
    reader.feed(buffer.getvalue())
    reader.end()
    assert seen == [("d/", 0, ""), ("l", 0, "../x"), ("h", 0, "d")]
    assert reader.entries == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends too early"),
        (b"x" * 1000, "isn't a tar archive"),
        (archive(("a", b"y" * 5000))[:3000], "ends too early"),
        (archive(("a", b"y" * 600))[:1100] + b"z" * 2000, "damaged"),
    ],
)
def test_what_is_no_archive_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadArchive, match=message):
        read(data)


def measured(data: bytes, **options: int) -> LayerMeter:
    meter = LayerMeter(limit=options.pop("limit", 1 << 30), compress=bool(options))
    for at in range(0, len(data), 1000):
        meter.feed(data[at : at + 1000])
    meter.end()
    return meter


def test_a_layer_is_measured_compressed_or_not() -> None:
    data = archive(("a", b"x" * 100_000), ("b", b"y"))
    packed = gzip.compress(data)
    plain = measured(data)
    assert (plain.compressed_bytes, plain.uncompressed_bytes, plain.files) == (None, len(data), 2)
    zipped = measured(packed)
    assert (zipped.compressed_bytes, zipped.uncompressed_bytes, zipped.files) == (len(packed), len(data), 2)
    squeezed = measured(data, compress=1).compressed_bytes
    assert squeezed == len(zlib.compress(data, 6, wbits=31))


def test_gzip_files_one_after_another_are_one() -> None:
    data = archive(("a", b"x" * 3000))
    assert measured(gzip.compress(data[:2000]) + gzip.compress(data[2000:])).uncompressed_bytes == len(data)


def test_zstandard_is_not_looked_into() -> None:
    meter = measured(b"\x28\xb5\x2f\xfd" + b"x" * 5000)
    assert (meter.compressed_bytes, meter.uncompressed_bytes, meter.files) == (5004, None, None)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(archive(("a", b"x" * 9000)))[:-20], "ends too early"),
        (gzip.compress(archive(("a", b"x"))) + b"!", "ends too early"),
        (gzip.compress(b"hello" * 200), "isn't a tar archive"),
        (b"\x1f\x8b" + b"\0" * 100, "damaged"),
    ],
    ids=["cut", "more", "no archive", "noise"],
)
def test_a_damaged_layer_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadArchive, match=message):
        measured(data)


def test_a_bomb_is_refused_before_it_takes_time_or_memory() -> None:
    head = archive(("a", b"" * 512))[:512].replace(b"\0" * 12, b"\0" * 12)
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = bomb.compress(head) + b"".join(bomb.compress(b"\0" * (1 << 20)) for _ in range(200)) + bomb.flush()
    assert len(packed) < 1 << 20
    begin = time.process_time()
    with pytest.raises(BadArchive, match="more than 0 GiB"):
        measured(packed, limit=1 << 26)
    assert time.process_time() - begin < 2


def test_a_name_that_claims_gigabytes_is_not_kept() -> None:
    data = bytearray(archive(("n" * 300, b"x"), form=tarfile.GNU_FORMAT))
    assert data[156:157] == b"L"
    # the length of the name: eight gigabytes less one
    data[124:136] = b"77777777777\0"
    data[148:156] = b" " * 8
    data[148:156] = f"{sum(data[:512]):06o}\0 ".encode()
    reader = TarReader()
    reader.feed(bytes(data))
    for _ in range(100):
        reader.feed(b"n" * 100_000)
    assert len(reader._kept) <= 65_536
    with pytest.raises(BadArchive, match="ends too early"):
        reader.end()
