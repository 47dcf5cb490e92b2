"""Exchange: messages from one instance to another, in seconds for one message.

http     an answer of the probe, asked for on one connection: two messages, and the latency both ways
file     what the two sides compute for a message through a shared file, nearly all of it system calls
sqlite   what a transaction computes, and the disk operations that it waits for; put in on one side, taken out on
         the other
"""

from __future__ import annotations

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.script import Steps
from vsim.model.plan import Exchange, Step
from vsim.model.probe import DISK_OPERATIONS, MESSAGE, REQUEST

__all__ = ["SUITE"]

# Where two instances reach each other; the first that the stack has.
_NETWORKS = ("user_defined", "host")


class _Exchange(Suite):
    name = "exchange"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, Exchange)
        world, record = context.world, context.record
        both = []
        for number in range(2):
            both.append((yield from world.launch(number)))
        values = {"exchange_s": _http(context)} if step.over == "http" else _shared(step, context)
        yield from world.pause(step.messages * values["exchange_s"])
        for metric, seconds in values.items():
            record.sample(metric, seconds, "s", flags=(f"over-{step.over}",))
        for launched in both:
            world.retire(launched.instance)

    def lack(self, step: Step, rung: Rung) -> str | None:
        assert isinstance(step, Exchange)
        if step.over == "http":
            lacking = rung.lacks(REQUEST)
            if lacking is None and _network(rung) is None:
                lacking = "no layer of the stack states a network that two instances have in common"
            return lacking
        if step.over not in MESSAGE:
            return f"nothing states what a message over {step.over} costs"
        names = (*MESSAGE[step.over], DISK_OPERATIONS) if step.over == "sqlite" else MESSAGE[step.over]
        return rung.lacks(*names) or rung.lacks_factor("system_call") or rung.lacks_disk("bind")


def _network(rung: Rung) -> str | None:
    return next((mode for mode in _NETWORKS if rung.lacks_network(mode) is None), None)


def _http(context: Context) -> float:
    mode = _network(context.rung)
    assert mode is not None
    cost = context.rung.architecture.network(mode)
    work = context.draws(REQUEST)() + 2 * cost.cpu_core_s_per_message
    return work / context.world.host.hardware.speed + 2 * cost.latency_s


def _shared(step: Exchange, context: Context) -> dict[str, float]:
    rung, disk = context.rung, context.world.host.hardware
    path = rung.architecture.disk("bind")
    sides = [context.draws(name)() * rung.factor("system_call") for name in MESSAGE[step.over]]
    if step.over != "sqlite":
        return {"exchange_s": sum(sides)}
    operation_s = max(1 / (disk.disk_write_iops * path.iops_factor), disk.disk_latency_s + path.latency_s)
    waiting_s = context.draws(DISK_OPERATIONS)() * operation_s
    write_s, read_s = (side + waiting_s for side in sides)
    return {"exchange_s": write_s + read_s, "exchange_write_s": write_s, "exchange_read_s": read_s}


SUITE = _Exchange()
