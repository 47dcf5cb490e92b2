"""Zip archives whose bytes depend on their content alone: no dates, a fixed order, fixed rights."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

__all__ = ["packed", "repacked"]

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip archive can hold
# When an Office file was made, in its core properties.
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of `files`, by name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return target.getvalue()


def repacked(data: bytes) -> bytes:
    """Return an Office file, which is an archive, with the same content and without dates; also those inside it."""
    files = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".xlsx"):
                content = repacked(content)
            elif name == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z\g<2>", content)
            files[name] = content
    return packed(files)
