"""The Python interface: small, lazy, and the same as the command."""

from __future__ import annotations

from pathlib import Path

import pytest

import vsim
from tests.cli.command import SMALL
from tests.cli.command import vsim as command


def test_all_is_sorted_and_there():
    assert list(vsim.__all__) == sorted(vsim.__all__)
    for name in vsim.__all__:
        assert getattr(vsim, name) is not None
        assert name in dir(vsim)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="simulat"):
        vsim.simulat  # noqa: B018  # the access is what is tested


def test_simulate_is_the_command(tmp_path: Path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    result = vsim.simulate(path, seed=7, replications=2)
    printed = command("simulate", path, "--seed", 7, "--replications", 2, "--format", "json").stdout
    assert result.to_json().encode() == printed
    scenario = vsim.load_scenario(path)
    assert vsim.simulate(scenario, seed=7, replications=2) == result


def test_errors_are_exceptions_of_vsim(tmp_path: Path):
    with pytest.raises(vsim.InputError, match="nosuch"):
        vsim.load_scenario("nosuch")
    with pytest.raises(vsim.VsimError, match="toaster"):
        vsim.simulate(on=["vm@toaster"])
    broken = tmp_path / "broken.yaml"
    broken.write_text("schema: vsim.profile/1\nlayers: [\n")
    with pytest.raises(vsim.InputError) as caught:
        vsim.load_profile(broken)
    assert caught.value.place is not None
    assert caught.value.place.file == str(broken)


def test_architectures_can_not_be_stated_twice(tmp_path: Path):
    path = tmp_path / "sweep.yaml"
    path.write_text(SMALL + "sweep: {parameters: {architectures: [[vm@laptop], [container@laptop]]}}\n")
    with pytest.raises(vsim.InputError, match="architectures of its own") as caught:
        vsim.simulate(path, on=["vm@blade"])
    assert "--on" in (caught.value.hint or "")


def test_progress_is_told(tmp_path: Path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    told: list[tuple[int, int]] = []
    vsim.simulate(path, jobs=1, progress=lambda done, known: told.append((done, known)))
    done = [number for number, _ in told]
    assert done == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1]
