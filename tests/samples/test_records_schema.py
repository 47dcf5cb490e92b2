"""The schema of samples accepts what is written, and refuses what reading refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from vsim.samples.records import Done, Failure, Record, Resume, Run, Sample, to_line
from vsim.samples.records_schema import samples_schema

VALIDATOR = Draft202012Validator(samples_schema())
SAMPLE = Sample("r", 0, 0, "container", "docker", "startup", "startup_s", 0.3, "s", 1, None, 2.5, ("cold",))
RECORDS: list[Record] = [
    Run("r", "real", "2026-01-02T03:04:05Z", {"steps": []}, {"cpu": "x"}, 1, ("docker",)),
    SAMPLE,
    Failure("r", 0, 0, "vm", "qemu", "startup", "start", "no /dev/kvm", 1, 0, 2.5),
    Done("r", 0, 1, "docker", 3.0),
    Resume("r", 4.0),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.record)
def test_every_record_is_valid(record: Record) -> None:
    assert list(VALIDATOR.iter_errors(json.loads(to_line(record)))) == []


@pytest.mark.parametrize(
    "change",
    [{"record": "sampel"}, {"value": "0.3"}, {"instance": 0.5}, {"flags": "cold"}, {"flags": [1]}, {"t": None}],
)
def test_a_wrong_value_is_refused(change: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(json.loads(to_line(SAMPLE)) | change)


def test_a_missing_key_is_refused() -> None:
    values = json.loads(to_line(SAMPLE))
    del values["unit"]
    assert not VALIDATOR.is_valid(values)
