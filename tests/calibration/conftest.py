"""Profile files for tests: written from a few lines, loaded on top of the built-in profile."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsim.calibration import Profile, load_profile
from vsim.errors import InputError

PROJECT = Path(__file__).resolve().parents[2]
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
def published() -> list[dict[str, Any]]:
    """The records of published figures: in VSIM_REFERENCE_DATA, or ../shared/data."""
    from ruamel.yaml import YAML

    folder = Path(os.environ.get("VSIM_REFERENCE_DATA") or PROJECT.parent / "shared" / "data")
    path = folder / "published" / "figures.yaml"
    if not path.is_file():
        if os.environ.get("VSIM_REQUIRE_ALL") == "1":
            pytest.fail(f"VSIM_REQUIRE_ALL=1, but there is no {path}", pytrace=False)
        pytest.skip(f"this host lacks the published figures (VSIM_REFERENCE_DATA, looked for {path})")
    records: list[dict[str, Any]] = YAML(typ="safe").load(path)
    return records
