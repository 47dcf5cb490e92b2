"""Native, Docker and KVM in Felter et al. against the built-in layers."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.validation import felter
from tests.validation.tables import TABLES, documented


@pytest.fixture(scope="module")
def rows(reference_data: Path) -> dict[str, felter.Row]:
    return {row.name: row for row in felter.rows(reference_data)}


def test_the_documented_errors_are_those_of_the_code(reference_data: Path):
    assert documented()["felter"] == TABLES["felter"](reference_data)


def test_every_record_is_compared_or_left_out_for_a_reason(rows: dict[str, felter.Row], reference_data: Path):
    for name in felter.left_out(reference_data):
        assert any(fnmatch(name, pattern) for pattern in felter.LEFT_OUT), name
    assert len(rows) > 40


def test_the_documented_table_starts_with_the_worst():
    errors = [float(e.replace("−", "-")) for e in re.findall(r"\| ([+−]?[\d.]+) % \|", documented()["felter"])]
    assert len(errors) > 40
    assert [abs(e) for e in errors] == sorted((abs(e) for e in errors), reverse=True)


def test_what_runs_in_user_code_is_close_where_the_guest_is_tuned(rows: dict[str, felter.Row]):
    # the records whose conditions the layers describe: pinned guests that see the topology, containers, volumes
    for name in ("linpack_docker", "linpack_kvm_tuned", "stream_triad_docker", "stream_triad_kvm", "gups_2s_docker"):
        assert abs(rows[f"felter_{name}"].error) <= 0.02, name


def test_what_the_profile_took_as_input_comes_out_again(rows: dict[str, felter.Row]):
    for name in ("tcprr_native", "fio_seqread_1m_qd1_native"):
        assert rows[f"felter_{name}"].error == pytest.approx(0, abs=0.001)
