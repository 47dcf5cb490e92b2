"""Images of the local Docker engine, read as `docker save` writes them, without keeping them on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import posixpath
from typing import Any

from vsim.bench.drivers._engine import ask_engine, engine_socket
from vsim.errors import HostError, InputError, Place
from vsim.scenario.images.described import DescribedImage
from vsim.scenario.images.stored import MAX_UNPACKED, images_of
from vsim.scenario.images.tar import BadArchive, LayerMeter, Sink, TarReader

__all__ = ["read_engine_image"]

_TIMEOUT_S = 600
_PIECE = 1 << 20
_MAX_JSON = 4 * 1024 * 1024
_MAX_MEMBERS = 10_000


def read_engine_image(reference: str, *, compress: bool = False) -> list[DescribedImage]:
    """Return the image `reference` of the local engine, with the real sizes of its layers.

    The engine keeps layers uncompressed. `compress` finds out how large they are in a registry by compressing them as
    a push does: some ten megabytes a second. Raises InputError when the engine doesn't have the image, HostError when
    there is no engine.
    """
    import docker
    import docker.errors
    import requests

    try:
        # before the SDK, whose own attempt would leave its socket open
        ask_engine("/version")
        # closing it closes its connections, also when the export is given up in the middle
        with contextlib.closing(
            docker.APIClient(base_url=f"unix://{engine_socket()}", version="auto", timeout=_TIMEOUT_S)
        ) as client:
            # asked for first: the export of an image that isn't there fails in the middle of its answer
            known = client.inspect_image(reference)
            stream = _Saved(reference, compress)
            for piece in client.get_image(str(known["Id"]), chunk_size=_PIECE):
                stream.feed(piece)
            stream.end()
    except docker.errors.ImageNotFound:
        raise InputError(
            f"the engine has no image {reference!r}",
            hint="`docker images` lists those that are there; or name a folder or tar",
        ) from None
    except docker.errors.APIError as error:
        raise InputError(f"the engine refuses {reference!r}: {error.explanation or error}") from None
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise HostError(
            f"the Docker engine doesn't answer: {_short(error)}",
            hint="start it, or name an OCI layout: a folder, or a tar archive (`docker save`)",
        ) from None
    except BadArchive as bad:
        raise InputError(f"what the engine sends of {reference!r} can't be read: {bad}") from None
    tags = known.get("RepoTags") or []
    name = reference if not tags or reference in tags else str(tags[0])
    return [DescribedImage(name, image.platform, image.layers, "Docker engine") for image in images_of(stream)]


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


class _Saved:
    """What the engine sends, looked at as it comes: small files are kept, and every file is measured as a layer."""

    file = "the Docker engine"

    def __init__(self, reference: str, compress: bool) -> None:
        self._reference = reference
        self._compress = compress
        self._kept: dict[str, bytes] = {}
        self._meters: dict[str, LayerMeter] = {}
        self._links: dict[str, str] = {}
        self._bad: dict[str, str] = {}
        self._reader = TarReader(self._member)

    def feed(self, data: bytes) -> None:
        self._reader.feed(data)

    def end(self) -> None:
        self._reader.end()
        for path, meter in list(self._meters.items()):
            try:
                meter.end()
            except BadArchive as bad:
                self._spoiled(path, bad)

    def _member(self, name: str, size: int, link: str) -> Sink | None:
        if len(self._kept) + len(self._meters) + len(self._links) > _MAX_MEMBERS:
            raise BadArchive(f"it has more than {_MAX_MEMBERS:,} members")
        path = posixpath.normpath(name)
        if link:
            self._links[path] = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
            return None
        if not size:
            return None
        kept = bytearray() if size <= _MAX_JSON and (path.endswith(".json") or path.startswith("blobs/")) else None
        if not path.endswith(".json"):
            self._meters[path] = LayerMeter(limit=MAX_UNPACKED, compress=self._compress)

        def sink(data: bytes) -> None:
            if kept is not None:
                kept.extend(data)
                if len(kept) == size:
                    self._kept[path] = bytes(kept)
            meter = self._meters.get(path)
            if meter is not None:
                try:
                    meter.feed(data)
                except BadArchive as bad:
                    self._spoiled(path, bad)

        return sink

    def _spoiled(self, path: str, bad: BadArchive) -> None:
        """Remember that a file is no layer, which matters only if an image says that it is one."""
        self._bad[path] = str(bad)
        self._meters.pop(path, None)

    def _target(self, path: str) -> str:
        for _ in range(8):
            if path not in self._links:
                break
            path = self._links[path]
        return path

    # -- as a place where blobs are kept -------------------------------------------------------------------------------

    def has(self, path: str) -> bool:
        path = self._target(path)
        return path in self._kept or path in self._meters

    def json(self, path: str) -> Any:
        data = self._kept.get(self._target(path))
        if data is None:
            raise self._error(f"{path} is missing")
        algorithm, _, digest = path.removeprefix("blobs/").partition("/")
        if path.startswith("blobs/") and hashlib.new(algorithm, data).hexdigest() != digest:
            raise self._error(f"{path} isn't what its digest says")
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise self._error(f"{path} isn't JSON") from None

    def meter(self, path: str) -> LayerMeter:
        found = self._meters.get(self._target(path))
        if found is None:
            raise self._error(f"{path} can't be read: {self._bad.get(self._target(path), 'it is missing')}")
        return found

    def _error(self, message: str) -> InputError:
        return InputError(
            message, place=Place(self.file), hint=f"try `docker save {self._reference}` and name the archive"
        )
