"""What `vsim bench` says while it runs, where there is no terminal."""

from __future__ import annotations

import pytest

from tests.bench.fakes import Clock, FakeDriver
from vsim.bench.runner import Unit
from vsim.cli._bench_progress import Progress
from vsim.model.plan import Start
from vsim.samples.records import Failure


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("vsim.cli._bench_progress.time.monotonic", clock)
    return clock


def unit(clock: Clock, block: int) -> Unit:
    return Unit(block, 1, 0, Start(), FakeDriver("runc", clock, []))


def test_blocks_are_counted_of_those_that_there_really_are(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan that is fitted to its time has fewer blocks than were asked for: the runner says how many."""
    progress = Progress()
    progress.begin(units=6, blocks=3)
    clock.pass_s(11)
    progress.unit(unit(clock, 0))
    clock.pass_s(20)
    progress.done(unit(clock, 0))
    progress.unit(unit(clock, 1))
    assert capsys.readouterr().err.splitlines() == [
        "block 1/3 · runc startup · 6 steps to do",
        # one of six took 31 s: 155 s for five of them
        "block 2/3 · runc startup · 3 min left",
    ]


def test_failures_are_told_at_once(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure("r", 0, 1, "container", "runc", "startup", "start", "no memory", concurrency=1, instance=2, t=0.5)
    Progress().record(failure)
    assert capsys.readouterr().err == "runc: startup failed at start (instance 2): no memory\n"
