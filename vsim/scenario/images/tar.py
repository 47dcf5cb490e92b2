"""Archives as they come: a reader of tar that is fed piece by piece and keeps nothing but what it is asked to keep.

Images come over a socket, or compressed to a thousandth of their size by somebody who means harm. So nothing is
unpacked to disk, what a header claims is never allocated, and names and sizes are all that is looked at.

The format: POSIX.1-2017, pax, "ustar Interchange Format", and the extensions of GNU tar.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

__all__ = ["BadArchive", "LayerMeter", "Sink", "TarReader"]

_BLOCK = 512
# Names longer than this are cut off: no file system takes them.
_LONGEST_NAME = 65_536
# What is inflated at a time.
_PIECE = 1 << 18
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

Sink = Callable[[bytes], None]


class BadArchive(ValueError):  # noqa: N818 - reads as what it is: `raise BadArchive(...)`
    """What is wrong with an archive."""


class TarReader:
    """Reads a tar archive that it is fed; `member` is called for each file with its name, size, and what it links to.

    `member` returns a sink for the content of a file, or None to skip it. `entries` counts the members, folders and
    links among them.
    """

    def __init__(self, member: Callable[[str, int, str], Sink | None] | None = None) -> None:
        self.entries = 0
        self.content_bytes = 0
        self._member = member
        self._header = bytearray()
        self._left = 0
        self._padding = 0
        self._sink: Sink | None = None
        self._name: bytearray | None = None
        self._kept = bytearray()
        self._keeping = ""
        self._ended = False
        self._seen = 0

    def feed(self, data: bytes) -> None:
        """Read on. Raises BadArchive when it isn't tar."""
        view = memoryview(data)
        while view and not self._ended:
            if self._left:
                part, view = view[: self._left], view[self._left :]
                self._left -= len(part)
                if self._keeping:
                    self._kept += part[: max(0, _LONGEST_NAME - len(self._kept))]
                elif self._sink is not None:
                    self._sink(bytes(part))
                if not self._left and self._keeping:
                    self._keep()
            elif self._padding:
                skipped = min(self._padding, len(view))
                self._padding -= skipped
                view = view[skipped:]
            else:
                wanted = _BLOCK - len(self._header)
                self._header += view[:wanted]
                view = view[wanted:]
                if len(self._header) == _BLOCK:
                    self._read_header(bytes(self._header))
                    self._header.clear()

    def skip(self) -> None:
        """Take the content of the member that has just begun for read: what is fed next is the header after it."""
        self._left = self._padding = 0

    def end(self) -> None:
        """Say that there is no more. Raises BadArchive when something is missing."""
        if self._left or self._header or (not self._seen and not self._ended):
            raise BadArchive("the archive ends too early")

    def _read_header(self, block: bytes) -> None:
        if not any(block):
            self._ended = True  # two of them, by the standard; one will do
            return
        # the check sum is that of the header with spaces in the place of the check sum
        if _number(block[148:156]) != sum(block[:148]) + 8 * 32 + sum(block[156:]):
            raise BadArchive("this isn't a tar archive" if not self._seen else "the archive is damaged")
        self._seen += 1
        size, kind = _number(block[124:136]), block[156:157]
        if size < 0:
            raise BadArchive("the archive is damaged")
        # links, devices and folders have no content, whatever they state
        has_content = kind not in b"123456"
        self._left = size if has_content else 0
        self._padding = -self._left % _BLOCK
        if kind in (b"x", b"L", b"g", b"K"):
            self._keeping = kind.decode()
            self._kept.clear()
            if not self._left:
                self._keep()
            return
        name = bytes(self._name) if self._name is not None else _text(block[0:100])
        if self._name is None and block[257:262] == b"ustar" and (prefix := _text(block[345:500])):
            name = prefix + b"/" + name
        self._name = None
        self.entries += 1
        self.content_bytes += self._left
        link = _text(block[157:257]).decode("utf-8", "replace") if kind in (b"1", b"2") else ""
        text = name.decode("utf-8", "replace")
        self._sink = self._member(text, self._left, link) if self._member is not None else None

    def _keep(self) -> None:
        """Take a long name over to the member that follows it."""
        kind, self._keeping = self._keeping, ""
        if kind == "L":
            self._name = bytearray(bytes(self._kept).rstrip(b"\0"))
        elif kind == "x":
            for record in bytes(self._kept).split(b"\n"):
                _, _, pair = record.partition(b" ")
                if pair.startswith(b"path="):
                    self._name = bytearray(pair[5:])


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Return the number in a field of a header, -1 when there is none."""
    if field[:1] == b"\x80":  # GNU's form for more than 8 GiB
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


class LayerMeter:
    """Measures a layer that it is fed, compressed or not: its sizes, and its entries.

    `compressed_bytes` is None for one that came uncompressed, unless `compress` asks for it to be compressed as a push
    does. `uncompressed_bytes` and `files` are None for a compression other than gzip. With more than `limit` bytes
    uncompressed BadArchive is raised.
    """

    def __init__(self, *, limit: int, compress: bool = False) -> None:
        self._limit = limit
        self._tar = TarReader()
        self._inflate: zlib._Decompress | None = None
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, 31) if compress else None
        self._deflated = 0
        self._begin = b""
        self._kind: str | None = None
        self._in = 0
        self._out = 0

    def feed(self, data: bytes) -> None:
        """Read on. Raises BadArchive."""
        self._in += len(data)
        if self._kind is None:
            self._begin += data
            if len(self._begin) < len(_ZSTD):
                return
            data, self._begin = self._begin, b""
            self._kind = "gzip" if data[:2] == _GZIP else "zstd" if data[:4] == _ZSTD else "tar"
            if self._kind == "gzip":
                self._inflate = zlib.decompressobj(31)
        if self._kind == "tar":
            self._plain(data)
        elif self._inflate is not None:
            self._compressed(data)

    def _compressed(self, data: bytes) -> None:
        assert self._inflate is not None
        try:
            while True:
                out = self._inflate.decompress(data, _PIECE)
                self._plain(out)
                data = self._inflate.unconsumed_tail
                if self._inflate.eof:
                    # gzip files may follow one another, as pigz and estargz write them
                    data = self._inflate.unused_data.lstrip(b"\0")
                    if not data:
                        return
                    self._inflate = zlib.decompressobj(31)
                elif not data and len(out) < _PIECE:
                    return
        except zlib.error:
            raise BadArchive("what is compressed is damaged") from None

    def _plain(self, data: bytes) -> None:
        self._out += len(data)
        if self._out > self._limit:
            raise BadArchive(f"it holds more than {self._limit / 1024**3:.0f} GiB uncompressed")
        self._tar.feed(data)
        if self._deflate is not None and self._kind == "tar":
            self._deflated += len(self._deflate.compress(data))

    def end(self) -> None:
        """Say that there is no more. Raises BadArchive when something is missing."""
        if self._kind is None and self._begin:
            raise BadArchive("this isn't a layer")
        if self._kind == "gzip" and self._inflate is not None and not self._inflate.eof:
            raise BadArchive("what is compressed ends too early")
        if self._kind != "zstd" and self._kind is not None:
            self._tar.end()
        if self._deflate is not None and self._kind == "tar":
            self._deflated += len(self._deflate.flush())

    @property
    def compressed_bytes(self) -> int | None:
        """The size as it came if that was compressed, or as it was compressed here."""
        if self._kind in ("gzip", "zstd"):
            return self._in
        return self._deflated if self._deflate is not None else None

    @property
    def uncompressed_bytes(self) -> int | None:
        """The size of the archive uncompressed."""
        return None if self._kind == "zstd" else self._out

    @property
    def files(self) -> int | None:
        """The number of its entries."""
        return None if self._kind == "zstd" else self._tar.entries
