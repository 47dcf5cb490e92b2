from __future__ import annotations

import pytest

from tests.bench.suites import Scripted
from vsim.bench.drivers import all_drivers
from vsim.bench.errors import StageError
from vsim.bench.suites.cpu import SUITE
from vsim.model.plan import DriveCpu


def test_a_value_is_the_probe_s_own_duration_per_operation() -> None:
    bench = Scripted("begin fault\nend fault 5000000\nready\n")
    SUITE.run(DriveCpu(work="page_fault", operations=1000), bench.context)
    assert bench.values == {"cpu_page_fault_s": [5e-6]}
    assert bench.specs[0].arguments == ("cpu=fault:1000",)
    assert bench.log == ["create", "start", "remove"]


def test_a_probe_that_gives_up_is_a_failure_in_its_work_and_nothing_stays() -> None:
    bench = Scripted("begin fault\nerror mmap 12\n")
    with pytest.raises(StageError, match=r"work: .*error mmap 12"):
        SUITE.run(DriveCpu(work="page_fault", operations=1000), bench.context)
    assert bench.log == ["create", "start", "remove"]
    assert bench.values == {}


def test_what_takes_longer_costs_more_of_the_budget() -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    step = DriveCpu(work="system_call", operations=100_000)
    assert SUITE.demand(step, drivers["gvisor"]).seconds > 10 * SUITE.demand(step, drivers["process"]).seconds
    assert SUITE.lack(step, drivers["process"]) is None
    assert SUITE.lack(step, drivers["null"]) is not None
