"""Images made by hand: OCI layouts and archives of ``docker save``."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["layer", "oci_layout", "packed", "saved"]


def layer(name: str, size: int, files: int = 1) -> bytes:
    """Return the archive of a layer with `files` files of `size` bytes that compress well."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(files):
            info = tarfile.TarInfo(f"{name}/{number}")
            info.size = size
            archive.addfile(info, io.BytesIO(name.encode() * (size // len(name) + 1)))
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def oci_layout(
    folder: Path, images: Mapping[str, Sequence[bytes]], *, index: Sequence[Mapping[str, Any]] = (), plain: bool = False
) -> Path:
    """Write an OCI layout with an image of gzipped layers for each name; `index` are more entries of index.json."""

    def blob(data: bytes) -> dict[str, Any]:
        digest = _digest(data)
        path = folder / "blobs" / "sha256" / digest.partition(":")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"digest": digest, "size": len(data)}

    manifests = []
    for name, layers in images.items():
        history = [{"created_by": f"RUN make {name}"}, {"created_by": "ENV x=y", "empty_layer": True}]
        history += [{"created_by": f"COPY {number} /"} for number in range(1, len(layers))]
        config = {
            "os": "linux",
            "architecture": "arm",
            "variant": "v7",
            "rootfs": {"type": "layers", "diff_ids": [_digest(data) for data in layers]},
            "history": history,
        }
        manifest = {
            "schemaVersion": 2,
            "config": blob(json.dumps(config).encode()),
            "layers": [blob(data if plain else gzip.compress(data, mtime=0)) for data in layers],
        }
        descriptor = blob(json.dumps(manifest).encode())
        manifests.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    (folder / "index.json").write_text(
        json.dumps({"schemaVersion": 2, "manifests": [*manifests, *index]}), encoding="utf-8"
    )
    return folder


def packed(folder: Path, target: Path) -> Path:
    """Return the tar archive of a folder."""
    with tarfile.open(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.add(path, str(path.relative_to(folder)))
    return target


def saved(target: Path, images: Mapping[str, Sequence[bytes]]) -> Path:
    """Write what ``docker save`` of version 20.10 does: a layer that comes again is a link to the first."""
    written: dict[bytes, str] = {}
    with tarfile.open(target, "w") as archive:

        def add(name: str, data: bytes) -> None:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

        entries = []
        for name, layers in images.items():
            names = []
            for number, data in enumerate(layers):
                own = f"{hashlib.sha256(f'{name}{number}'.encode()).hexdigest()}/layer.tar"
                if data in written:
                    info = tarfile.TarInfo(own)
                    info.type, info.linkname = tarfile.SYMTYPE, f"../{written[data]}"
                    archive.addfile(info)
                else:
                    written[data] = own
                    add(own, data)
                names.append(own)
            config = json.dumps(
                {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [_digest(data) for data in layers]}}
            ).encode()
            add(f"{hashlib.sha256(config).hexdigest()}.json", config)
            entries.append(
                {"Config": f"{hashlib.sha256(config).hexdigest()}.json", "RepoTags": [name], "Layers": names}
            )
        add("manifest.json", json.dumps(entries).encode())
    return target
