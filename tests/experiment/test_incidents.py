"""Names that only the profile knows are checked before anything runs, and reported where they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

import vsim
from vsim.api import simulate

BASE = (
    "schema: vsim.scenario/1\narchitectures: [container@rack-server, vm@blade]\n"
    "services: {web: {image: 50 MB, memory: 64 MiB}}\nrun: {duration: 10 s, replications: 1}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "under", "message", "hint"),
    [
        ("container@", "kontainer@", "kontainer", "no stack 'kontainer'", "'container'"),
        ("@blade", "@blad", "vm@blad", "no machine 'blad'", "'blade'"),
        ("vm@blade", "vm@raspberry-pi-4, x@y", "x@y", "no stack 'x'", "the profile has"),
        ("64 MiB", "1 TiB", "web", "an empty machine has", "a larger machine"),
        ("64 MiB", "64 MiB, cpu: 100", "web", "reserves 1", "more cores"),
        ("64 MiB", "64 MiB, requires: [tpu]", "web", "requires tpu", "no architecture of the profile offers tpu"),
        ("run:", "incidents: [{what: midplan, at: 1}]\nrun:", "midplan", "'midplan'", "'midplane'"),
        ("run:", "incidents: [{what: quake, at: 1}]\nrun:", "quake", "'quake'", "machine, chassis, "),
        ("run:", "sweep: {parameters: {site.pu: [1]}}\nrun:", "site.pu", "'site.pu'", "site.pue"),
    ],
)
def test_unknown_name(tmp_path: Path, old: str, new: str, under: str, message: str, hint: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(BASE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(vsim.InputError) as caught:
        simulate(path)
    error = caught.value
    assert message in error.message
    assert hint in (error.hint or "")
    assert error.place is not None
    assert error.place.text is not None
    assert error.place.column is not None
    assert error.place.text[error.place.column - 1 :].startswith(under)


def test_an_incident_that_some_architectures_lack_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    incident = "incidents: [{what: midplane, at: 2 s, repair: 1 h}]\nrun:"
    path.write_text(BASE.replace("run:", incident), encoding="utf-8")
    rack, blade = simulate(path, jobs=1).architectures
    assert rack.metrics["availability"].value == 1
    assert blade.metrics["availability"].value == pytest.approx(0.2)  # two of ten seconds
