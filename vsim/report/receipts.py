"""Receipts: what made a figure, embedded in its file, so that it can be printed and the figure made anew.

A PNG has it in a ``tEXt`` chunk, an SVG in its Dublin Core metadata, a PDF in its information dictionary.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import unescape
from pathlib import Path
from typing import Any

from vsim.errors import InputError, Place
from vsim.report.inputs import InputFile

__all__ = ["SCHEMA", "Receipt", "metadata", "read_receipt"]

SCHEMA = "vsim.receipt/1"
_KEY = "vsim-receipt"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What made a figure: its name, style and format, the command, the files with their digests, seed and profile.

    `profile` is None for a figure of samples, else `name`, `sha256` of the numbers that were used, and `changed`: how
    many of them differ from the built-in profile's. `seeds` are those of the runs, `seed` the one that was asked for in
    place of a scenario's own. `matplotlib` and `freetype` are the versions that drew it.
    """

    figure: str
    style: str
    format: str
    command: str
    inputs: tuple[InputFile, ...]
    seeds: tuple[int, ...]
    seed: int | None
    profile: Mapping[str, Any] | None
    vsim: str
    matplotlib: str
    freetype: str

    def to_json(self) -> str:
        """Return the receipt on one line, in ASCII: every kind of file can hold that."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, file: str) -> Receipt:
        """Return the receipt. Raises InputError for anything else."""
        try:
            content = json.loads(text)
            if content.pop("schema") != SCHEMA:
                raise ValueError("its schema is another one")
            inputs = tuple(InputFile(**one) for one in content.pop("inputs"))
            return cls(inputs=inputs, seeds=tuple(content.pop("seeds")), **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"its receipt can't be read: {error}", place=Place(file)) from None


def metadata(receipt: Receipt, title: str, alt: str) -> dict[str, Any]:
    """Return what matplotlib's ``savefig`` is to embed; no dates, so that the same figure is the same bytes."""
    text = receipt.to_json()
    made_by = f"vsim {receipt.vsim}"
    if receipt.format == "png":
        return {"Software": made_by, "Title": title, "Description": alt, _KEY: text}
    if receipt.format == "svg":
        return {
            "Date": None,
            "Creator": made_by,
            "Title": title,
            "Description": alt,
            "Source": text,
            "Identifier": _KEY,
        }
    return {
        "CreationDate": None,
        "Creator": made_by,
        "Producer": f"matplotlib {receipt.matplotlib}",
        "Title": title,
        "Subject": alt,
        "Keywords": text,
    }


def read_receipt(path: str | Path) -> Receipt:
    """Return the receipt in the figure at `path`. Raises InputError when it isn't a figure, or has none."""
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", place=Place(str(path))) from None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        text = _of_png(data)
    elif data.startswith(b"%PDF"):
        text = _of_pdf(data)
    else:
        text = _of_svg(data)
    if text is None:
        raise InputError(
            "there is no receipt in it", place=Place(str(path)), hint="figures of `vsim report` have one: PNG, SVG, PDF"
        )
    return Receipt.from_json(text, str(path))


def _of_png(data: bytes) -> str | None:
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        key, _, text = body.partition(b"\0")
        if kind == b"tEXt" and key == _KEY.encode():
            return text.decode("latin-1")
        if kind == b"zTXt" and key == _KEY.encode():
            return zlib.decompress(text[1:]).decode("latin-1")
        place += 12 + length
    return None


def _of_svg(data: bytes) -> str | None:
    text = data.decode("utf-8", errors="replace")
    if f"<dc:identifier>{_KEY}</dc:identifier>" not in text:
        return None
    found = re.search(r"<dc:source>(.*?)</dc:source>", text, re.DOTALL)
    return None if found is None else unescape(found[1])


# What stands for itself in a PDF's string, and what is written with a backslash (ISO 32000-1, table 3).
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _of_pdf(data: bytes) -> str | None:
    place = data.find(b"/Keywords (")
    if place < 0:
        return None
    text, depth, index = bytearray(), 1, place + len(b"/Keywords (")
    while index < len(data):
        character = data[index : index + 1]
        if character == b"\\":
            index += 1
            escaped = data[index : index + 1]
            text += _ESCAPES.get(escaped, escaped)
        elif character == b")" and depth == 1:
            return text.decode("latin-1")
        else:
            depth += (character == b"(") - (character == b")")
            text += character
        index += 1
    return None
