"""CPU: seconds for one operation of the probe, by kind of work: what it costs without any layer, times the slowdown."""

from __future__ import annotations

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.script import Steps
from vsim.model.plan import DriveCpu, Step
from vsim.model.probe import OPERATION

__all__ = ["SUITE"]


class _Cpu(Suite):
    name = "cpu"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, DriveCpu)
        world = context.world
        launched = yield from world.launch(0)
        # What varies from run to run is common to all operations of a run.
        each = context.draws(OPERATION[step.work])() * context.rung.factor(step.work)
        begin = world.now
        yield world.host.cpu.submit(step.operations * each), world.host.cpu
        context.record.sample(f"cpu_{step.work}_s", (world.now - begin) / step.operations, "s")
        world.retire(launched.instance)

    def lack(self, step: Step, rung: Rung) -> str | None:
        assert isinstance(step, DriveCpu)
        return rung.lacks(OPERATION[step.work]) or rung.lacks_factor(step.work)


SUITE = _Cpu()
