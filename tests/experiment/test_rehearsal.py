"""Plans carried out again by a performer whose answers are known: what is asked of it, compared, and said."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import pytest

from tests.experiment.sets import START, joined, run, samples, starts, value
from vsim.calibration import Profile, builtin
from vsim.engine.plans import perform
from vsim.errors import InputError
from vsim.experiment.holding_out import parse
from vsim.experiment.rehearsal import Validation, cross_validate, validate
from vsim.model.plan import Plan, Start
from vsim.samples.records import Samples

# A stack and a machine that every profile has.
DRIVER, MACHINE = "container", "laptop"
REQUESTS = {"suite": "requests", "rate_per_s": 100.0, "duration_s": 1.0, "operations": 10, "arrivals": "poisson"}


class Performer:
    """Starts take `seconds`, whatever the plan says; remembers what it was asked for."""

    def __init__(self, seconds: float, left_out: tuple[str, ...] = ()) -> None:
        self.seconds = seconds
        self.left_out = left_out
        self.asked: list[tuple[Plan, tuple[str, ...], str]] = []

    def __call__(self, plan: Plan, profile: Profile, drivers: Sequence[str], machine: str, /) -> Samples:
        self.asked.append((plan, tuple(drivers), machine))
        steps = [{"suite": step.suite, **dataclasses.asdict(step)} for step in plan.steps]
        record = dataclasses.replace(
            run("sim", steps, world="simulated", seed=plan.seed, blocks=plan.blocks), left_out=self.left_out
        )
        found = []
        for number, step in enumerate(plan.steps):
            if isinstance(step, Start):
                for driver in drivers:
                    blocks = [[self.seconds] * step.count] * plan.blocks
                    found += starts(blocks, run_id="sim", driver=driver, step=number, concurrency=step.concurrency)
        return Samples((record,), tuple(found), ())


def measured(*numbers: float, **fields: object) -> Samples:
    return samples(starts([numbers] * 3, driver=DRIVER, **fields))


def test_every_run_is_predicted_and_the_worst_comes_first() -> None:
    first = measured(1.0, 1.0)
    second = samples(
        starts([[4.0]] * 3, driver=DRIVER, run_id="q", concurrency=2), runs=[run("q", [{**START, "concurrency": 2}])]
    )
    performer = Performer(2.0)
    found = validate(builtin(), joined(first, second), machine=MACHINE, blocks=3, perform=performer)
    assert [(row.concurrency, row.error, row.machine) for row in found.rows] == [(4, 1.0, MACHINE), (2, -0.5, MACHINE)]
    assert [(plan.steps[0], drivers, machine) for plan, drivers, machine in performer.asked] == [
        (Start(count=4, concurrency=4), (DRIVER,), MACHINE),
        (Start(count=4, concurrency=2), (DRIVER,), MACHINE),
    ]
    (summary,) = found.summaries()
    assert (summary.metric, summary.statistic, summary.rows, summary.median_error) == ("startup_s", "median", 2, 0.75)
    assert summary.worst is found.rows[0]
    assert found.exceeding(0.5) == [found.rows[0]]
    assert found.exceeding(0.49) == list(found.rows)


def test_more_blocks_are_simulated_than_were_measured_except_of_equal_arrivals() -> None:
    performer = Performer(1.0)
    both = samples(starts([[1.0]] * 3, driver=DRIVER), runs=[run(steps=[START, REQUESTS])])
    found = validate(builtin(), both, machine=MACHINE, blocks=10, perform=performer)
    (as_it_was, _, _), (more, _, _) = performer.asked
    assert [step.suite for step in as_it_was.steps] == ["startup", "requests"]
    assert (as_it_was.blocks, as_it_was.seed) == (3, 1)
    assert [step.suite for step in more.steps] == ["startup"]
    assert (more.blocks, more.warmup_blocks) == (7, 0)
    assert more.seed != 1
    assert found.rows[0].predicted.blocks == 10


def test_what_is_not_compared_is_said() -> None:
    odd = samples(
        starts([[1.0]], driver=DRIVER),
        starts([[1.0]], driver="toaster"),
        starts([[1.0]], driver="null"),
        [value("stop_s", 1.0, driver=DRIVER, instance=0)],
    )
    found = validate(builtin(), odd, machine=MACHINE, blocks=1, perform=Performer(1.0, left_out=("no disks here",)))
    assert found.notes == (
        "toaster is not predicted: the profile has no stack of that name",
        "no disks here",
        f"measured but not simulated, {DRIVER}: stop_s",
    )
    chosen = validate(builtin(), odd, machine=MACHINE, metrics=["startup_s"], perform=Performer(1.0))
    assert not any("stop_s" in note for note in chosen.notes)


def test_it_survives_json() -> None:
    found = validate(builtin(), measured(1.0, 3.0), machine=MACHINE, perform=Performer(2.0))
    assert Validation.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    nothing = dataclasses.replace(found.rows[0], error=None)
    assert json.loads(json.dumps(Validation("p", (nothing,)).to_dict(), allow_nan=False))["rows"][0]["error"] is None


def test_what_can_not_be_predicted_is_refused_with_a_hint() -> None:
    own = measured(1.0)

    def refused(samples: Samples, **more: object) -> InputError:
        with pytest.raises(InputError) as caught:
            validate(builtin(), samples, perform=Performer(1.0), **more)  # type: ignore[arg-type]
        return caught.value

    error = refused(own, machine="laptob")
    assert "no machine 'laptob'" in error.message
    assert error.hint == "did you mean 'laptop'?"
    error = refused(samples(starts([[1.0]], driver="toaster")), machine=MACHINE)
    assert "nothing to compare" in error.message
    assert "toaster" in (error.hint or "")
    assert "vsim calibrate" in (error.hint or "")
    error = refused(own, machine=MACHINE, metrics=["startup_z"])
    assert error.hint == "did you mean 'startup_s'?"
    error = refused(own)
    assert "'box'" in error.message
    assert "the host of the run r" in error.message
    broken = dataclasses.replace(
        own, runs=(dataclasses.replace(own.runs[0], plan={"steps": [{"suite": "startup", "x": 1}]}),)
    )
    assert "plan" in refused(broken, machine=MACHINE).message


# What the harness would call them.
RUNGS = {"bare-metal": "process", "container": "docker"}


def simulated(machine: str, *rungs: str, seed: int, name: str) -> Samples:
    """Return starts on a machine of the built-in profile, at three levels, as if measured on the host `name`."""
    plan = Plan("p", tuple(Start(8, level) for level in (1, 2, 8)), blocks=6, warmup_blocks=0, seed=seed)
    found = perform(plan, builtin(), rungs, machine)
    record = dataclasses.replace(
        found.runs[0], run_id=name, world="real", environment={**found.runs[0].environment, "hostname": name}
    )
    own = (dataclasses.replace(s, run_id=name, driver=RUNGS[s.driver]) for s in found.samples)
    return Samples((record,), tuple(own), ())


def test_what_is_left_out_is_predicted_from_the_rest_for_each_host_of_a_class() -> None:
    both = joined(
        simulated("laptop", *RUNGS, seed=1, name="anna"),
        simulated("raspberry-pi-4", "bare-metal", seed=2, name="pi-07"),
    )
    found = cross_validate(both, [parse("concurrency=8")], blocks=6, metrics=["startup_s"])
    assert {(row.machine, row.driver, row.concurrency) for row in found.rows} == {
        ("anna", "process", 8),
        ("anna", "docker", 8),
        ("pi-07", "process", 8),
    }
    assert {row.held_out for row in found.rows} == {"concurrency=8"}
    # the simulator's own samples are of the kind of model that is fitted: the rest is noise
    assert all(abs(row.error) < 0.3 for row in found.rows)


def test_each_level_in_turn_is_predicted_from_the_others() -> None:
    found = cross_validate(simulated("laptop", "bare-metal", seed=3, name="anna"), one_by_one="concurrency", blocks=6)
    starts_ = [row for row in found.rows if (row.metric, row.statistic) == ("startup_s", "median")]
    assert {(row.held_out, row.concurrency) for row in starts_} == {
        (f"concurrency={level}", level) for level in (1, 2, 8)
    }
