"""Whatever is done to a valid file: it is valid, or one InputError says what is wrong; never anything else."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsim.errors import InputError
from vsim.scenario import load_scenario, presets
from vsim.scenario.loading import PRESETS

TEXTS = [(PRESETS / f"{name}.yaml").read_text(encoding="utf-8") for name in presets()]
# what breaks parsers and arithmetic: indicators of YAML, numbers at the limits, words that are nearly right
BITS = [
    *"\t\n :-,[]{}#&*!|>'\"%@`?\\",
    "\r\n",
    "\0",
    "\x07",
    "\ufeff",
    "\u2028",
    "é",
    "-1",
    "0",
    ".nan",
    ".inf",
    "1e999",
    "9" * 400,
    "0x1F",
    "null",
    "true",
    "~",
    "<<: *a",
    "&a ",
    "*a",
    "!!int ",
    "!x",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "  " * 40,
    "[" * 70,
    "MiB",
    " ms",
    "services:",
    "sweep: {parameters: {services.web.memory: [1]}}\n",
]


def error_of(path: Path) -> InputError | None:
    """Return what is wrong with the file, or None."""
    try:
        load_scenario(path)
    except InputError as error:
        return error
    return None


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 0, 1, 2, 5, 20, 200]))
        bit = draw(st.sampled_from(BITS) | st.text(max_size=5))
        moved = text[at : at + length] if draw(st.booleans()) else ""
        text = text[:at] + bit + moved + text[at + length :]
    return text


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(text=mutated())
def test_a_mutated_file_is_valid_or_an_input_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    before = time.process_time()
    error = error_of(path)
    assert time.process_time() - before < 2
    if error is not None:
        assert error.message
        assert error.hint
        place = error.place
        assert place is not None
        assert place.line is not None
        if place.text is not None and place.column is not None:
            assert 1 <= place.column <= len(place.text) + 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["web", "1 MiB", "-3 s", "10 %", "auto", "a@b", "poisson", "1e5/s"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "rate", "size", "name", "user", "replicas", "trace", "generated", "parameters", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
KEYS = [
    "title",
    "architectures",
    "services",
    "jobs",
    "demands",
    "fleet",
    "start",
    "run",
    "incidents",
    "reliability",
    "sweep",
]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(data=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), service=VALUES)
def test_any_values_at_any_key(data: dict[str, object], service: object, tmp_path: Path) -> None:
    whole = {"schema": "vsim.scenario/1", "architectures": ["a@b"], "services": {"web": service}, **data}
    path = tmp_path / "scenario.yaml"
    path.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
    error = error_of(path)
    assert error is None or (error.message and error.hint)


@pytest.mark.parametrize("name", presets())
def test_every_line_left_out(name: str, tmp_path: Path) -> None:
    lines = (PRESETS / f"{name}.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "scenario.yaml"
    for number in range(len(lines)):
        path.write_text("".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        error = error_of(path)
        if error is not None:
            assert error.place is not None
            assert error.place.line is not None
            assert error.hint
