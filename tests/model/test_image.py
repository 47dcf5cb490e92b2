"""Images as layers: what they share, and what a host that has some of them has to pull."""

from __future__ import annotations

import pytest

from vsim.model.image import Image, ImageLayer

BASE = ImageLayer("sha256:base", 30, 80)
TOOLS = ImageLayer("sha256:tools", 20, 50)
APP = ImageLayer("sha256:app", 5, 9)
OTHER = ImageLayer("sha256:other", 7, 11)


def test_sizes_are_those_of_the_layers() -> None:
    image = Image("app", (BASE, TOOLS, APP))
    assert (image.compressed_bytes, image.uncompressed_bytes) == (55, 139)


def test_a_layer_that_comes_twice_is_sent_once_and_kept_twice() -> None:
    image = Image("twice", (BASE, APP, TOOLS, APP))
    assert (image.compressed_bytes, image.uncompressed_bytes) == (55, 148)


def test_images_share_what_they_begin_with() -> None:
    first, second = Image("first", (BASE, TOOLS, APP)), Image("second", (BASE, TOOLS, OTHER))
    assert first.shared_with(second) == (BASE, TOOLS) == second.shared_with(first)


def test_a_layer_on_top_of_others_is_another_one() -> None:
    # the same archive on a different base: nothing of it can be used again
    assert Image("first", (BASE, APP)).shared_with(Image("second", (TOOLS, APP))) == ()


def test_what_is_missing_begins_with_the_first_layer_that_is_not_there() -> None:
    image = Image("app", (BASE, TOOLS, APP))
    assert image.missing(()) == (BASE, TOOLS, APP)
    assert image.missing(Image("second", (BASE, TOOLS, OTHER)).chains) == (APP,)
    assert image.missing(image.chains) == ()
    assert image.missing({("sha256:app",)}) == (BASE, TOOLS, APP)


def test_a_chain_is_all_digests_up_to_a_layer() -> None:
    assert Image("app", (BASE, APP)).chains == (("sha256:base",), ("sha256:base", "sha256:app"))


@pytest.mark.parametrize(
    ("digest", "compressed", "uncompressed"), [("", 1, 1), ("sha256:a", -1, 1), ("sha256:a", 1, -1)]
)
def test_a_layer_that_cannot_be_is_refused(digest: str, compressed: int, uncompressed: int) -> None:
    with pytest.raises(ValueError, match="a layer"):
        ImageLayer(digest, compressed, uncompressed)
