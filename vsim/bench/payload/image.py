"""A container image from the payload: the archive that `docker load` and `podman load` take. No registry, no build."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from vsim.bench.payload.payload import Payload

__all__ = ["write_image"]

# What image formats call the architectures.
_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_image(payload: Payload, target: Path, *, tag: str, labels: Mapping[str, str]) -> None:
    """Write an image of one layer, the payload's root, to the tar file `target`. Raises OSError.

    Its entry point is the probe; it runs without privileges unless the container says otherwise.
    """
    layer = target.with_suffix(".layer")
    try:
        digest = _write_layer(payload.root, layer)
        config = json.dumps(
            {
                "architecture": _NAMES.get(payload.architecture, payload.architecture),
                "os": "linux",
                "config": {"Entrypoint": ["/probe"], "User": "65534:65534", "WorkingDir": "/", "Labels": dict(labels)},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            }
        ).encode()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}]).encode()
        with tarfile.open(target, "w") as archive:
            _add(archive, name, config)
            archive.add(layer, "layer.tar")
            _add(archive, "manifest.json", manifest)
    finally:
        layer.unlink(missing_ok=True)


def _write_layer(root: Path, target: Path) -> str:
    """Write the layer and return its digest: owners and times are fixed, so equal payloads make equal layers."""
    with tarfile.open(target, "w") as archive:
        for path in sorted(root.rglob("*")):
            info = archive.gettarinfo(str(path), arcname=str(path.relative_to(root)))
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime = 0
            if info.isreg():
                with path.open("rb") as content:
                    archive.addfile(info, content)
            else:
                archive.addfile(info)
    with target.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
