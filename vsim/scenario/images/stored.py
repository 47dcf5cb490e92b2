"""Images on disk: an OCI image layout (a folder, or the tar archive of one), and what ``docker save`` writes.

`OCI Image Layout Specification <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>`_ and
"Docker Image Specification v1.2", combined image JSON and file system changesets.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from vsim.errors import InputError, Place
from vsim.scenario.images.described import DescribedImage, DescribedLayer
from vsim.scenario.images.tar import BadArchive, LayerMeter, TarReader

__all__ = ["MAX_UNPACKED", "Blobs", "images_of", "read_stored"]

# Of one layer, uncompressed: many times the largest images that there are.
MAX_UNPACKED = 64 * 1024**3
_MAX_JSON = 4 * 1024 * 1024
_MAX_MEMBERS = 100_000
_MAX_MANIFESTS = 1000
_PIECE = 1 << 20
_DIGEST = re.compile(r"(sha256|sha384|sha512):([0-9a-f]{64,128})")
_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


class Blobs(Protocol):
    """Where the parts of an image are kept, by path."""

    file: str

    def has(self, path: str) -> bool:
        """Return whether there is a file at `path`."""

    def json(self, path: str) -> Any:
        """Return the JSON at `path`. Raises InputError."""

    def meter(self, path: str) -> LayerMeter:
        """Return the measured layer at `path`. Raises InputError."""


def read_stored(path: Path | str) -> list[DescribedImage]:
    """Return the images in an OCI layout or an archive of ``docker save``. Raises InputError saying what is wrong."""
    place = Path(path)
    try:
        mode = place.stat().st_mode
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror}", place=Place(str(path)), hint="check the path") from None
    if stat.S_ISDIR(mode):
        return images_of(_Folder(place))
    if not stat.S_ISREG(mode):
        raise InputError("this is neither a folder nor a file", place=Place(str(path)), hint="name an OCI layout")
    with _Archive(place) as archive:
        return images_of(archive)


def images_of(blobs: Blobs) -> list[DescribedImage]:
    """Return the images that `blobs` hold. Raises InputError."""
    if blobs.has("index.json"):
        return list(_oci(blobs))
    if blobs.has("manifest.json"):
        return list(_saved(blobs))
    raise InputError(
        "there is neither index.json nor manifest.json in it",
        place=Place(blobs.file),
        hint="name an OCI layout (`skopeo copy … oci:FOLDER`), or an archive of `docker save`",
    )


# -- the two forms -----------------------------------------------------------------------------------------------------


def _oci(blobs: Blobs) -> Iterator[DescribedImage]:
    ahead = [(descriptor, "") for descriptor in _list(blobs, "index.json", blobs.json("index.json"), "manifests")]
    seen = 0
    while ahead:
        descriptor, name = ahead.pop(0)
        seen += 1
        if seen > _MAX_MANIFESTS:
            raise InputError(
                f"it holds more than {_MAX_MANIFESTS} manifests", place=Place(blobs.file), hint="copy one image"
            )
        annotations = descriptor.get("annotations") or {}
        name = str(
            annotations.get("io.containerd.image.name") or annotations.get("org.opencontainers.image.ref.name") or name
        )
        path = _blob(blobs, descriptor)
        manifest = blobs.json(path)
        if not isinstance(manifest, Mapping):
            raise _broken(blobs, path, "is not a manifest")
        if "manifests" in manifest:
            ahead[:0] = [(below, name) for below in _list(blobs, path, manifest, "manifests")]
        elif "layers" in manifest and not _is_attestation(descriptor, manifest):
            yield _manifest(blobs, path, manifest, name)


def _manifest(blobs: Blobs, path: str, manifest: Mapping[str, Any], name: str) -> DescribedImage:
    config_path = _blob(blobs, manifest.get("config"))
    config = blobs.json(config_path)
    history = _history(config)
    layers: list[DescribedLayer] = []
    for number, descriptor in enumerate(_list(blobs, path, manifest, "layers")):
        stated = descriptor.get("size")
        digest = str(descriptor.get("digest"))
        created_by = history[number] if number < len(history) else ""
        where = _blob(blobs, descriptor)
        if not blobs.has(where):
            if descriptor.get("mediaType") != _FOREIGN:
                raise _broken(blobs, where, "is missing")
            layers.append(DescribedLayer(digest, stated if isinstance(stated, int) else 0, created_by=created_by))
            continue
        meter = blobs.meter(where)
        layers.append(DescribedLayer(digest, meter.compressed_bytes, meter.uncompressed_bytes, meter.files, created_by))
    return DescribedImage(name or blobs.file, _platform(config), tuple(layers), blobs.file)


def _saved(blobs: Blobs) -> Iterator[DescribedImage]:
    listed = blobs.json("manifest.json")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or len(listed) > _MAX_MANIFESTS:
        raise _broken(blobs, "manifest.json", "is not a list of images")
    meters: dict[str, LayerMeter] = {}
    for entry in listed:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("Layers"), list):
            raise _broken(blobs, "manifest.json", "is not a list of images")
        config = blobs.json(_inside(blobs, entry.get("Config")))
        history = _history(config)
        rootfs = config.get("rootfs") if isinstance(config, Mapping) else None
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, Mapping) else None
        layers: list[DescribedLayer] = []
        for number, name in enumerate(entry["Layers"]):
            path = _inside(blobs, name)
            meter = meters[path] if path in meters else meters.setdefault(path, blobs.meter(path))
            known = isinstance(diff_ids, list) and number < len(diff_ids)
            digest = str(diff_ids[number]) if known and diff_ids is not None else path
            created_by = history[number] if number < len(history) else ""
            layers.append(
                DescribedLayer(digest, meter.compressed_bytes, meter.uncompressed_bytes, meter.files, created_by)
            )
        tags = entry.get("RepoTags") or []
        name = str(tags[0]) if isinstance(tags, list) and tags else blobs.file
        yield DescribedImage(name, _platform(config), tuple(layers), blobs.file)


def _list(blobs: Blobs, path: str, data: Any, key: str) -> list[Mapping[str, Any]]:
    found = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(part, Mapping) for part in found):
        raise _broken(blobs, path, f"has no list of {key}")
    return found


def _blob(blobs: Blobs, descriptor: Any) -> str:
    digest = descriptor.get("digest") if isinstance(descriptor, Mapping) else None
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if match is None:
        raise _broken(blobs, "", f"has something that isn't a digest: {str(digest)[:80]!r}")
    return f"blobs/{match[1]}/{match[2]}"


def _inside(blobs: Blobs, path: Any) -> str:
    """Return a path that an archive names, if it stays inside."""
    clean = posixpath.normpath(path) if isinstance(path, str) else ""
    if not clean or clean.startswith(("/", "..")):
        raise _broken(blobs, "manifest.json", f"names {str(path)[:80]!r}, which isn't in it")
    return clean


def _is_attestation(descriptor: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Return whether a manifest holds what BuildKit says about an image instead of one."""
    platform = descriptor.get("platform")
    annotations = descriptor.get("annotations") or {}
    return (isinstance(platform, Mapping) and platform.get("os") == "unknown") or (
        isinstance(annotations, Mapping) and "vnd.docker.reference.type" in annotations
    )


def _history(config: Any) -> list[str]:
    """Return what made each layer, the lowest first."""
    history = config.get("history") if isinstance(config, Mapping) else None
    if not isinstance(history, list):
        return []
    return [
        str(entry.get("created_by", ""))[:500]
        for entry in history
        if isinstance(entry, Mapping) and not entry.get("empty_layer")
    ]


def _platform(config: Any) -> str:
    if not isinstance(config, Mapping):
        return ""
    parts = (config.get("os"), config.get("architecture"), config.get("variant"))
    return "/".join(str(part)[:40] for part in parts if part)


def _broken(blobs: Blobs, path: str, message: str) -> InputError:
    return InputError(
        f"{path or 'it'} {message}",
        place=Place(blobs.file),
        hint="is it complete? write it again (`docker save`, `skopeo`)",
    )


# -- where they are kept -----------------------------------------------------------------------------------------------


class _Folder:
    """A folder. Links that lead out of it aren't followed."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder)
        self._root = folder.resolve()

    def _path(self, path: str) -> Path | None:
        found = (self._root / path).resolve()
        return found if found.is_relative_to(self._root) and found.is_file() else None

    def has(self, path: str) -> bool:
        return self._path(path) is not None

    def json(self, path: str) -> Any:
        found = self._path(path)
        if found is None:
            raise _broken(self, path, "is missing")
        with _opened(self, found) as stream:
            return _parsed(self, path, stream.read(_MAX_JSON + 1))

    def meter(self, path: str) -> LayerMeter:
        found = self._path(path)
        if found is None:
            raise _broken(self, path, "is missing")
        with _opened(self, found) as stream:
            return _measured(self, path, lambda: stream.read(_PIECE))


class _Archive:
    """A tar archive, uncompressed: where its members are is noted first, then they are read as they are asked for."""

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self._stream = path.open("rb")
        try:
            self._members, self._links = self._list()
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def _list(self) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
        members: dict[str, tuple[int, int]] = {}
        links: dict[str, str] = {}
        end = os.fstat(self._stream.fileno()).st_size
        size = 0

        def member(name: str, length: int, link: str) -> None:
            nonlocal size
            if len(members) + len(links) >= _MAX_MEMBERS:
                raise BadArchive(f"it has more than {_MAX_MEMBERS:,} members")
            clean = posixpath.normpath(name)
            size = length
            if link:
                links[clean] = posixpath.normpath(posixpath.join(posixpath.dirname(clean), link))
            else:
                members[clean] = (self._stream.tell(), length)

        reader = TarReader(member)
        try:
            while block := self._stream.read(512):
                size = 0
                before = reader.entries
                reader.feed(block)
                if reader.entries > before and size:
                    # over the content, to the next header: as if it had been read
                    where = self._stream.tell() + size + -size % 512
                    if self._stream.tell() + size > end:
                        raise BadArchive("the archive ends too early")
                    reader.skip()
                    self._stream.seek(where)
            reader.end()
        except BadArchive as bad:
            raise InputError(str(bad), place=Place(self.file), hint=_hint(self.file)) from None
        return members, links

    def _where(self, path: str) -> tuple[int, int] | None:
        for _ in range(8):
            if path in self._members:
                return self._members[path]
            if path not in self._links:
                return None
            path = self._links[path]
        return None

    def has(self, path: str) -> bool:
        return self._where(path) is not None

    def json(self, path: str) -> Any:
        where = self._where(path)
        if where is None:
            raise _broken(self, path, "is missing")
        self._stream.seek(where[0])
        return _parsed(self, path, self._stream.read(min(where[1], _MAX_JSON + 1)))

    def meter(self, path: str) -> LayerMeter:
        where = self._where(path)
        if where is None:
            raise _broken(self, path, "is missing")
        self._stream.seek(where[0])
        left = where[1]

        def read() -> bytes:
            nonlocal left
            data = self._stream.read(min(_PIECE, left))
            left -= len(data)
            return data

        return _measured(self, path, read)


def _hint(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
    except OSError:
        packed = False
    return "unpack it first: gunzip" if packed else "name an OCI layout, or an archive of `docker save`"


def _opened(blobs: Blobs, path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise _broken(blobs, str(path), f"can't be read: {error.strerror}") from None


def _parsed(blobs: Blobs, path: str, data: bytes) -> Any:
    if len(data) > _MAX_JSON:
        raise _broken(blobs, path, "is larger than 4 MiB: not a description of an image")
    match = re.fullmatch(r"blobs/(sha256|sha384|sha512)/([0-9a-f]+)", path)
    if match is not None and hashlib.new(match[1], data).hexdigest() != match[2]:
        raise _broken(blobs, path, "isn't what its digest says")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise _broken(blobs, path, "isn't JSON") from None


def _measured(blobs: Blobs, path: str, read: Callable[[], bytes]) -> LayerMeter:
    meter = LayerMeter(limit=MAX_UNPACKED)
    try:
        while data := read():
            meter.feed(data)
        meter.end()
    except BadArchive as bad:
        raise _broken(blobs, path, f"can't be read: {bad}") from None
    return meter
