"""What figures are made from besides results and samples: layers of images, pulls that were timed, a validation.

Each is a file that another command has written; what it is, its content says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vsim.errors import InputError, Place
from vsim.experiment.rehearsal import SCHEMA as VALIDATION
from vsim.experiment.rehearsal import Validation
from vsim.scenario.images import DescribedImage, read_description

__all__ = [
    "MAKERS",
    "Content",
    "DocumentKind",
    "Images",
    "PulledLayer",
    "Pulls",
    "Validated",
    "document_kind",
    "read_document",
]

DocumentKind = Literal["images", "pulls", "validation"]
# What writes each kind, as a figure asks for it.
MAKERS: Mapping[DocumentKind, str] = {
    "images": "a description of images (`vsim image inspect --format json`)",
    "pulls": "a record of pulls (`python -m benchmarks.pulls`)",
    "validation": "a validation (`vsim validate --format json`)",
}
_IMAGES = "vsim.images/1"
_SCHEMA_OF_YAML = re.compile(rb"^[\"']?schema[\"']?\s*:\s*[\"']?([\w./]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Images:
    """Images and their layers."""

    images: tuple[DescribedImage, ...]


@dataclass(frozen=True, slots=True)
class PulledLayer:
    """A layer of an image that was pulled: bytes compressed and uncompressed, and how many files it has."""

    compressed_bytes: int
    uncompressed_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Pulls:
    """Pulls that were timed: by image its layers, and the seconds of each pull with nothing there.

    `warm_s` are pulls of images that were there. `fitted` are the model's parameters on that host in base units
    (:class:`benchmarks.pulls.Fitted`), of the engine `engine` on `cores` cores of a `cpu`.
    """

    run: str
    date: str
    cpu: str
    cores: int
    engine: str
    images: Mapping[str, tuple[PulledLayer, ...]]
    seconds: Mapping[str, tuple[float, ...]]
    warm_s: tuple[float, ...]
    fitted: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Validated:
    """A validation, and what it is called."""

    name: str
    validation: Validation


Content = Images | Pulls | Validated


def document_kind(file: Path, start: bytes) -> DocumentKind | None:
    """Return what kind of document `file` is, None if it is none; `start` is what its content begins with.

    Raises InputError for JSON that can't be read.
    """
    if file.suffix in (".yaml", ".yml"):
        found = _SCHEMA_OF_YAML.search(start)
        return "images" if found is not None and found[1] == _IMAGES.encode() else None
    if not start.startswith(b"{"):
        return None
    content = _json(file)
    schema = content.get("schema")
    if schema == _IMAGES:
        return "images"
    if schema == VALIDATION or isinstance(content.get("validation"), dict):
        return "validation"
    return "pulls" if {"pulls", "warm_s", "fitted"} <= content.keys() else None


def read_document(file: Path, kind: DocumentKind) -> Content:
    """Return the content of `file`. Raises InputError for what it should have and hasn't."""
    if kind == "images":
        return Images(tuple(read_description(file)))
    make: Callable[[dict[str, Any], Path], Content] = _pulls if kind == "pulls" else _validated
    try:
        return make(_json(file), file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"this isn't {MAKERS[kind]}: {said}", place=Place(str(file))) from None


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"this isn't JSON: {error.msg}", place=Place(str(file), error.lineno, error.colno)) from None
    except (OSError, ValueError) as error:
        raise InputError(f"can't be read: {error}", place=Place(str(file))) from None
    return content if isinstance(content, dict) else {}


def _pulls(content: dict[str, Any], file: Path) -> Pulls:
    images = {
        str(name): tuple(PulledLayer(*map(int, layer)) for layer in layers)
        for name, layers in content["images"].items()
    }
    seconds = {
        str(name): tuple(_number(one["seconds"]) for one in many) for name, many in content["pulls"].items() if many
    }
    lacking = sorted(seconds.keys() - images.keys())
    if lacking or not seconds:
        raise ValueError(f"it says nothing of the layers of {lacking[0]}" if lacking else "nothing was pulled")
    return Pulls(
        run=str(content["run"]),
        date=str(content["date"]),
        cpu=str(content["cpu"]),
        cores=int(content["cores"]),
        engine=str(content["engine"]),
        images={name: images[name] for name in seconds},
        seconds=seconds,
        warm_s=tuple(map(_number, content["warm_s"])),
        fitted={str(name): _number(value) for name, value in content["fitted"].items()},
    )


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{value} is no time")
    return number


def _validated(content: dict[str, Any], file: Path) -> Validated:
    own = content.get("validation", content)
    if own.get("schema") != VALIDATION:
        raise ValueError(f"its schema isn't {VALIDATION}")
    return Validated(str(content.get("record", file.name)), Validation.from_dict(own))
