"""CPU: user code, system calls and page faults apart, in seconds for one operation.

User code shows what a layer costs where it isn't asked (nothing, except under emulation); a system call, what stands
between the application and the kernel; a page fault, how memory is handed out.
"""

from __future__ import annotations

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.perform import perform
from vsim.bench.suites._cost import nothing_runs, slowdown
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import DriveCpu, Step

__all__ = ["SUITE"]

# What the probe calls them.
_WORK = {"user": "user", "system_call": "call", "page_fault": "fault"}
# Rather too slow guesses for bare metal, for the budget and the time limit only.
_OPERATION_S = {"user": 5e-9, "system_call": 0.4e-6, "page_fault": 3e-6}
# The probe holds so many pages at a time while it counts their faults.
_FAULTING_BYTES = 1024 * 4096


class _Cpu(Suite):
    name = "cpu"
    headline = ("cpu_user_s", "cpu_system_call_s", "cpu_page_fault_s")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, DriveCpu)
        work = _WORK[step.work]
        spec = InstanceSpec(arguments=(f"cpu={work}:{step.operations}",))
        report = perform(context, spec, timeout_s=30.0 + 10 * _work_s(step, context.driver))
        context.record.sample(f"cpu_{step.work}_s", report.duration_s(work) / step.operations, "s")

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, DriveCpu)
        return Demand(
            memory_bytes=driver.overhead_bytes + _FAULTING_BYTES,
            pids=driver.pids_per_instance,
            seconds=1.5 * driver.typical_start_s + _work_s(step, driver),
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        return nothing_runs(driver)


def _work_s(step: DriveCpu, driver: Driver) -> float:
    return step.operations * _OPERATION_S[step.work] * slowdown(driver, step.work)


SUITE = _Cpu()
