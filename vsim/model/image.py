"""Images as layers: what a registry sends, what a host keeps, and what two images share.

A layer is stored in a registry as a compressed archive and on a host unpacked. Its *digest* names the archive. A layer
unpacked on top of others is another thing than the same layer by itself: hosts keep it by the digests of all layers up
to it, its *chain*. That is why images share what they begin with, and nothing else (Docker Engine's layer store,
containerd's snapshots; `OCI Image Format Specification, "Layer ChainID"
<https://github.com/opencontainers/image-spec/blob/main/config.md>`_).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from vsim.model.quantity import Quantity

__all__ = ["Chain", "Image", "ImageLayer", "Puller", "Registry"]

# The digests of a layer and of all below it, the lowest first.
Chain = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """A layer of an image: the digest of its archive, and the archive's size compressed and uncompressed, in bytes.

    `files` is how many entries the archive has, None when nobody has counted.
    """

    digest: str
    compressed_bytes: int
    uncompressed_bytes: int
    files: int | None = None

    def __post_init__(self) -> None:
        if not self.digest:
            raise ValueError("a layer has a digest")
        if self.compressed_bytes < 0 or self.uncompressed_bytes < 0 or (self.files or 0) < 0:
            raise ValueError("a layer's sizes are zero or more")


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its layers, the lowest first."""

    name: str
    layers: tuple[ImageLayer, ...]

    @property
    def compressed_bytes(self) -> int:
        """What a pull transfers where nothing is cached, in bytes; a layer that comes twice is sent once."""
        return sum(layer.compressed_bytes for layer in {layer.digest: layer for layer in self.layers}.values())

    @property
    def uncompressed_bytes(self) -> int:
        """What the image takes on a host that has nothing of it, in bytes."""
        return sum(layer.uncompressed_bytes for layer in self.layers)

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The chain of each layer, the lowest first."""
        digests = tuple(layer.digest for layer in self.layers)
        return tuple(digests[: count + 1] for count in range(len(digests)))

    def shared_with(self, other: Image) -> tuple[ImageLayer, ...]:
        """Return the layers that a host keeps once for both: those that both images begin with."""
        count = 0
        for mine, theirs in zip(self.layers, other.layers, strict=False):
            if mine.digest != theirs.digest:
                break
            count += 1
        return self.layers[:count]

    def missing(self, cached: Container[Chain]) -> tuple[ImageLayer, ...]:
        """Return the layers that have to be pulled where the chains `cached` are there: all from the first that isn't.

        Nothing above a missing layer can be cached: its chain would hold the missing one.
        """
        for count, chain in enumerate(self.chains):
            if chain not in cached:
                return self.layers[count:]
        return ()


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry: its link in bytes per second, how much of it one connection gets at most, a round trip in seconds."""

    name: str
    title: str
    bytes_per_s: Quantity
    round_trip_s: Quantity
    connection_bytes_per_s: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Puller:
    """The part of a container engine that pulls images. CPU work is that of the reference core.

    A pull begins with `manifest_round_trips` to the registry and `manifest_wait_s`. `downloads` layers are fetched at a
    time, over all pulls of a host; each takes `layer_round_trips`, and receiving it costs `receive_core_s_per_byte`
    (compressed byte: check sum, writing it down). Layers are unpacked one after another from the lowest, on one core:
    `unpack_wait_s`, `unpack_core_s`, `unpack_core_s_per_byte` (uncompressed byte: inflating, check sum, writing) and
    `unpack_core_s_per_file`. Where nobody has counted a layer's files, there is one to `bytes_per_file`. What is
    written stays in the page cache as long as less than `write_back_fraction` of the memory waits for the disk.
    """

    name: str
    title: str
    downloads: Quantity
    manifest_round_trips: Quantity
    manifest_wait_s: Quantity
    layer_round_trips: Quantity
    receive_core_s_per_byte: Quantity
    unpack_wait_s: Quantity
    unpack_core_s: Quantity
    unpack_core_s_per_byte: Quantity
    unpack_core_s_per_file: Quantity
    bytes_per_file: Quantity
    write_back_fraction: Quantity

    def unpack_work_core_s(self, layer: ImageLayer) -> float:
        """Return the CPU work of unpacking `layer`, in core-seconds of the reference core."""
        size = layer.uncompressed_bytes
        files = size / self.bytes_per_file.value if layer.files is None else layer.files
        return (
            self.unpack_core_s.value
            + size * self.unpack_core_s_per_byte.value
            + files * self.unpack_core_s_per_file.value
        )
