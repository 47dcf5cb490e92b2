"""Profile files for tests: written from a few lines, loaded on top of the built-in profile."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsim.calibration import Profile, load_profile
from vsim.errors import InputError

MEASURED = "source: {kind: measured, run: r1, host: a box, date: 2026-01-02, n: 30}"
ASSUMED = "source: {kind: assumed, why: a guess}"

Load = Callable[..., Profile]


def content(text: str) -> str:
    """Return a profile file; ``MEASURED`` and ``ASSUMED`` stand for a source of that kind."""
    text = textwrap.dedent(text).replace("MEASURED", MEASURED).replace("ASSUMED", ASSUMED)
    return "schema: vsim.profile/1\n" + text.removeprefix("\n")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load files with the given contents, one on top of the other."""

    def loaded(*texts: str) -> Profile:
        paths = [tmp_path / f"mine{index or ''}.yaml" for index in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(content(text), encoding="utf-8")
        return load_profile(*paths)

    return loaded


@pytest.fixture
def refuse(load: Load) -> Callable[[str], InputError]:
    """Load a file that can't be used, and return the error."""

    def refused(text: str) -> InputError:
        with pytest.raises(InputError) as caught:
            load(text)
        return caught.value

    return refused


@pytest.fixture(scope="session")
def published(reference_data: Path) -> list[dict[str, Any]]:
    """The records of published figures."""
    from ruamel.yaml import YAML

    records: list[dict[str, Any]] = YAML(typ="safe").load(reference_data / "published" / "figures.yaml")
    return records
