"""Whatever is changed in a good profile file, loading it ends in a profile or in one InputError with its place."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vsim.calibration import load_profile
from vsim.calibration.profile_file import BUILTIN
from vsim.errors import InputError
from vsim.scenario.document import read_document

SECTIONS = ("layers", "stacks", "machines", "chassis", "site", "reference", "figures")
QUANTITY = {"value": 1, "unit": "s", "low": 0, "high": 1, "source": {"kind": "assumed", "why": "x"}}
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 3.5, 1e308, 10**200, "", "x", "1/0", "9**9**9", "value", "min(value, 1)", "[", "a" * 600),
    *({}, [], [1], {"a": 1}, QUANTITY, {"kind": "assumed", "why": "x"}, "reference.x", "site.pue", "process", "blade"),
)
KEYS = ("like", "value", "source", "title", "failure", "low", "unknown", "points", "rule")


def whole() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for path in BUILTIN.glob("*.yaml"):
        data = read_document(path).data
        for section in SECTIONS:
            found[section].update(data.get(section) or {})
    return found


def paths(node: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*before, key)
        yield from paths(value, (*before, key))


def mutated(good: dict[str, dict[str, Any]], rng: random.Random) -> dict[str, Any]:
    section = rng.choice(SECTIONS)
    name = rng.choice(sorted(good[section]))
    data = {section: {name: copy.deepcopy(good[section][name])}}
    for _ in range(rng.choice((1, 1, 2))):
        places = [path for path in paths(data) if len(path) > 1]
        if not places:
            break
        *above, last = rng.choice(places)
        node: Any = data
        for key in above:
            node = node[key]
        move = rng.random()
        if move < 0.2 and isinstance(node, dict):
            del node[last]
        elif move < 0.4 and isinstance(node, dict):
            node[rng.choice(KEYS)] = copy.deepcopy(rng.choice(ODD))
        else:
            node[last] = copy.deepcopy(rng.choice(ODD))
    return {"schema": "vsim.profile/1", **data}


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_file_gives_a_profile_or_an_error_with_its_place(seed: int, tmp_path: Path) -> None:
    good, rng = whole(), random.Random(seed)
    path = tmp_path / "mine.yaml"
    taken, errors = 0, []
    for _ in range(100):
        path.write_text(json.dumps(mutated(good, rng)))
        try:
            profile = load_profile(path)
        except InputError as error:
            errors.append(error)
            continue
        for name in profile.architectures():
            profile.architecture(name)
        taken += 1
    assert {error.place and error.place.file for error in errors} == {str(path)}
    assert taken > 5
    assert len(errors) > 30
