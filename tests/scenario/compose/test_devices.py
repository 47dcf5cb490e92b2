"""Devices: what a stack can't pass on, and a machine doesn't have, is an error that says which ones can."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim import InputError, simulate
from vsim.calibration.catalogue import load_compose

FILE = """\
services:
  reader:
    image: python
    {asks}
"""


def refused(tmp_path: Path, asks: str, on: str) -> InputError:
    path = tmp_path / "compose.yaml"
    path.write_text(FILE.replace("{asks}", asks), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        simulate(load_compose(path), on=[on], replications=1)
    return caught.value


@pytest.mark.parametrize(
    ("asks", "on", "column", "lacks", "hint"),
    [
        (
            "devices: [/dev/ttyUSB0]",
            "container-on-desktop@laptop",
            15,
            "requires devices, which container-on-desktop@laptop doesn't offer",
            "on this machine bare-metal@laptop, vm@laptop, container@laptop and container-in-vm@laptop can",
        ),
        ("privileged: true", "container-on-desktop@laptop", 5, "requires devices", "container@laptop"),
        ("devices: [/dev/ttyUSB0]", "sandboxed-container@rack-server", 15, "requires devices", "container@rack-server"),
        (
            "devices: ['/dev/gpiomem:/dev/gpiomem']",
            "container@rack-server",
            15,
            "requires gpio, which container@rack-server doesn't offer",
            "machines that can are raspberry-pi-4 and raspberry-pi-5",
        ),
        ("devices: [/dev/vchiq]", "container@laptop", 15, "requires camera", "raspberry-pi-4"),
        ("gpus: all", "microvm@rack-server", 5, "requires devices", "container@rack-server"),
        (
            "x-vsim: {requires: [teleport]}",
            "container@laptop",
            None,
            "requires teleport",
            "no architecture of the profile",
        ),
    ],
)
def test_refused(tmp_path: Path, asks: str, on: str, column: int | None, lacks: str, hint: str) -> None:
    error = refused(tmp_path, asks, on)
    assert lacks in error.message
    assert hint in (error.hint or "")
    if column is not None:
        assert error.place is not None
        assert (error.place.line, error.place.column) == (4, column)


@pytest.mark.parametrize(
    ("asks", "on"),
    [
        ("devices: [/dev/ttyUSB0]", "container@laptop"),
        ("devices: [/dev/ttyUSB0]", "vm@rack-server"),
        ("privileged: true", "container@rack-server"),
        ("privileged: false", "container-on-desktop@laptop"),
        ("devices: ['/dev/gpiochip0']", "container@raspberry-pi-4"),
        ("devices: ['/dev/gpiochip0']", "bare-metal@raspberry-pi-5"),
    ],
)
def test_offered(tmp_path: Path, asks: str, on: str) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(FILE.replace("{asks}", asks), encoding="utf-8")
    result = simulate(load_compose(path), on=[on], replications=1)
    assert result.architectures[0].metrics["unplaced"].value == 0
