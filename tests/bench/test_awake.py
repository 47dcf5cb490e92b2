"""Processors that are kept awake: what the kernel is told, and that it is told no longer than asked for."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from vsim.bench.awake import processors_awake

REQUESTS = Path("/dev/cpu_dma_latency")


def _open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def test_zero_microseconds_are_asked_for_and_the_file_is_closed_after(tmp_path: Path) -> None:
    file = tmp_path / "cpu_dma_latency"
    file.write_bytes(b"\xff" * 4)
    before = _open_files()
    with processors_awake(file) as awake:
        assert awake
        assert file.read_bytes() == bytes(4)
        assert _open_files() == before + 1
    assert _open_files() == before


def test_a_host_that_does_not_allow_it_is_measured_as_it_is(tmp_path: Path) -> None:
    with processors_awake(tmp_path / "none") as awake:
        assert not awake
    with processors_awake(tmp_path) as awake:  # a folder can't be written to
        assert not awake


def test_an_error_within_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cpu_dma_latency"
    file.touch()
    with pytest.raises(OSError, match="mine"), processors_awake(file):
        raise OSError("mine")


@pytest.mark.skipif(not os.access(REQUESTS, os.W_OK), reason="this kernel or user has no /dev/cpu_dma_latency")
def test_the_kernel_has_taken_it_in() -> None:
    """Who reads the file is told the least latency that anybody asks for."""

    def asked_for() -> int:
        with REQUESTS.open("rb", buffering=0) as file:
            latency: int = struct.unpack("i", file.read(4))[0]
            return latency

    with processors_awake() as awake:
        assert awake
        assert asked_for() == 0
