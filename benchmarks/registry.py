"""A registry on loopback that holds images made here, behind a proxy that limits its bandwidth.

The registry is Debian's docker-registry. Images are put into it by its HTTP API, so that no engine has to have them.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import random
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vsim.model.image import Image, ImageLayer

__all__ = ["Blob", "Content", "Registry", "Throttle", "image_of", "make_layer", "push", "registry"]

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, cache: {{blobdescriptor: inmemory}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_CHUNK = 16_384
_LATE_S = 0.02
_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class Blob:
    """A layer as a registry holds it: compressed, and the digests of both forms."""

    def __init__(self, data: bytes, uncompressed: bytes, files: int) -> None:
        self.data = data
        self.digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.diff_id = f"sha256:{hashlib.sha256(uncompressed).hexdigest()}"
        self.layer = ImageLayer(self.digest, len(data), len(uncompressed), files)


class Content:
    """What layers are made of that differ in a stamp only: compressed once, since that takes most of the time."""

    def __init__(self, name: str, files: int, file_bytes: int, random_part: float, seed: int) -> None:
        """Make `files` files, of which `random_part` can't be compressed; the rest is text."""
        numbers = random.Random(seed)
        words = [numbers.randbytes(6).hex().encode() for _ in range(500)]
        text = b" ".join(numbers.choice(words) for _ in range(file_bytes // 13 + 1))
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for number in range(files):
                noise = numbers.randbytes(int(file_bytes * random_part))
                start = numbers.randrange(len(text) // 2)
                content = (noise + text[start:] + text[:start])[:file_bytes]
                info = tarfile.TarInfo(f"data/{name}/{number:05}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        self._archive = buffer.getvalue()
        self._packed = gzip.compress(self._archive, compresslevel=6, mtime=0)
        self._files = files

    def layer(self, stamp: str) -> Blob:
        """Return a layer of the same content and a file with `stamp` in its name: no two stamps make the same layer."""
        info = tarfile.TarInfo(f"stamp/{stamp}")
        header = info.tobuf()
        # an archive's compressed parts may follow one another (RFC 1952, section 2.2)
        packed = gzip.compress(header, compresslevel=6, mtime=0) + self._packed
        return Blob(packed, header + self._archive, self._files + 1)


def make_layer(name: str, files: int, file_bytes: int, random_part: float, seed: int) -> Blob:
    """Return a layer of `files` files, of which `random_part` can't be compressed, and an empty one."""
    return Content(name, files, file_bytes, random_part, seed).layer(str(seed))


def image_of(name: str, blobs: Sequence[Blob]) -> Image:
    """Return the model's image of these layers, lowest first."""
    return Image(name, tuple(blob.layer for blob in blobs))


class Registry:
    """Debian's docker-registry, started on a free port of loopback. Raises FileNotFoundError where there is none."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("docker-registry")
        if program is None:
            raise FileNotFoundError("there is no registry (Debian: docker-registry)")
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.yml"
        config.write_text(_CONFIG.format(root=folder / "data", port=self.port), encoding="utf-8")
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen([program, "serve", str(config)], stdout=self._log, stderr=self._log)
        _wait_for(self.port, self._process)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    started = Registry(folder)
    try:
        yield started
    finally:
        started.close()


def push(target: Registry, name: str, blobs: Sequence[Blob]) -> None:
    """Put an image into the registry by its HTTP API: no engine has to have it."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [blob.diff_id for blob in blobs]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": name} for _ in blobs],
        }
    ).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    _put_blob(target.port, name, digest, config)
    for blob in blobs:
        _put_blob(target.port, name, blob.digest, blob.data)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _TYPE,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(config),
            "digest": digest,
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": len(blob.data),
                "digest": blob.digest,
            }
            for blob in blobs
        ],
    }
    _ask(target.port, "PUT", f"/v2/{name}/manifests/latest", json.dumps(manifest).encode(), {"Content-Type": _TYPE})


def _put_blob(port: int, name: str, digest: str, data: bytes) -> None:
    headers = _ask(port, "POST", f"/v2/{name}/blobs/uploads/", b"", {})
    location = headers["Location"].partition(f":{port}")[2]
    separator = "&" if "?" in location else "?"
    _ask(port, "PUT", f"{location}{separator}digest={digest}", data, {"Content-Type": "application/octet-stream"})


def _ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status in (201, 202), f"{method} {path}: {answer.status} {text[:300]!r}"
        return answer.headers
    finally:
        connection.close()


class Throttle:
    """A proxy in front of a port of loopback that lets `bytes_per_s` through towards its clients, all together.

    The connections share it chunk by chunk, in turns: a link with fair queueing. `sent` counts the bytes.
    """

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self.bytes_per_s = bytes_per_s
        self.sent = 0
        self._behind = port
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """End it, with the connections that are open."""
        for open_socket in (self._server, *self._open):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._server.close()

    def __enter__(self) -> Throttle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Pass on what goes both ways until both ends have said all."""
        with client, socket.create_connection(("127.0.0.1", self._behind)) as server:
            # small buffers: what the proxy holds back isn't on its way already
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _CHUNK)
            self._open += [client, server]
            towards = self._start(self._copy, client, server, False)
            self._copy(server, client, True)
            towards.join()
            for one in (client, server):
                self._open.remove(one)

    def _copy(self, source: socket.socket, sink: socket.socket, limited: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if limited:
                    self._wait(len(data))
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _wait(self, size: int) -> None:
        """Wait for one's turn on the link, which takes `size` bytes one after another."""
        with self._lock:
            now = time.monotonic()
            # who comes a little late, because the system woke it late, loses nothing
            self._free_at = max(now - _LATE_S, self._free_at) + size / self.bytes_per_s
            until = self._free_at
            self.sent += size
        if until > now:
            time.sleep(until - now)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the registry ended at once"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the registry doesn't answer")
