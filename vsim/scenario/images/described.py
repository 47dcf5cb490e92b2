"""Images as somebody has measured them: their layers with what is known of the sizes, and the file that holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsim.model.image import Image, ImageLayer
from vsim.scenario.document import Document, read_document

__all__ = ["SCHEMA", "DescribedImage", "DescribedLayer", "read_description", "to_data"]

SCHEMA = "vsim.images/1"
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class DescribedLayer:
    """A layer: the digest by which its images share it, what is known of its sizes in bytes, and what made it."""

    digest: str
    compressed_bytes: int | None = None
    uncompressed_bytes: int | None = None
    files: int | None = None
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class DescribedImage:
    """An image: its name, its platform as ``linux/arm64``, its layers from the lowest up, and where they were read."""

    name: str
    platform: str
    layers: tuple[DescribedLayer, ...]
    source: str = ""

    def to_image(self, ratio: float) -> tuple[Image, bool]:
        """Return the model's image, and whether a size had to be estimated.

        What isn't known of a layer's sizes follows from the other by `ratio`, uncompressed over compressed.
        """
        estimated = False
        layers: list[ImageLayer] = []
        for layer in self.layers:
            packed, plain = layer.compressed_bytes, layer.uncompressed_bytes
            if packed is None:
                packed, estimated = round((plain or 0) / ratio), True
            if plain is None:
                plain, estimated = round(packed * ratio), True
            layers.append(ImageLayer(layer.digest, packed, plain, layer.files))
        return Image(self.name, tuple(layers)), estimated


def to_data(images: Sequence[DescribedImage]) -> dict[str, Any]:
    """Return the images as what is written to a file of the schema ``vsim.images/1``."""
    return {"schema": SCHEMA, "images": [dataclasses.asdict(image) for image in images]}


def read_description(path: Path | str) -> list[DescribedImage]:
    """Read images that were written with :func:`to_data`, as JSON or YAML.

    Raises InputError, with its place, for what can't be used.
    """
    document = read_document(path)
    data = document.data
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise document.error(
            ("schema",),
            "this isn't a description of images",
            hint=f"it has `schema: {SCHEMA}`; `vsim image inspect --format json` writes one",
        )
    images = data.get("images")
    if not isinstance(images, list) or not images:
        raise document.error(("images",), "`images` must be a list of images", hint="as `vsim image inspect` writes it")
    return [_image(document, ("images", number), image, str(path)) for number, image in enumerate(images)]


def _image(document: Document, loc: tuple[str | int, ...], data: Any, source: str) -> DescribedImage:
    if not isinstance(data, dict) or not isinstance(data.get("layers"), list):
        raise document.error(
            loc, "an image has `name` and a list of `layers`", hint="as `vsim image inspect` writes it"
        )
    layers = tuple(_layer(document, (*loc, "layers", number), layer) for number, layer in enumerate(data["layers"]))
    name, platform = data.get("name", source), data.get("platform", "")
    for key, value in (("name", name), ("platform", platform)):
        if not isinstance(value, str):
            raise document.error((*loc, key), f"`{key}` must be text", hint="put it in quotes")
    return DescribedImage(name, platform, layers, source)


def _layer(document: Document, loc: tuple[str | int, ...], data: Any) -> DescribedLayer:
    if not isinstance(data, dict) or not isinstance(data.get("digest"), str) or not data["digest"]:
        raise document.error(loc, "a layer has a `digest`", hint="any text that names it, the same in all its images")
    sizes: dict[str, int | None] = {}
    for key in ("compressed_bytes", "uncompressed_bytes", "files"):
        value = data.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST):
            raise document.error(
                (*loc, key), f"`{key}` must be a whole number, zero or more", hint="in bytes, not a text"
            )
        sizes[key] = value
    if sizes["compressed_bytes"] is None and sizes["uncompressed_bytes"] is None:
        raise document.error(
            loc,
            "a layer has `compressed_bytes` or `uncompressed_bytes`",
            hint="one follows from the other, not both from none",
        )
    created = data.get("created_by", "")
    return DescribedLayer(data["digest"], **sizes, created_by=created if isinstance(created, str) else "")
