"""How long it takes to have one more instance of a service: the question that each step of the evolution answered.

Where a host has room the answer is a start-up; where none has, a machine has to be bought, racked and installed first.
"""

from __future__ import annotations

import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.host import Host
from vsim.engine.instance import Guest, Instance
from vsim.engine.script import Script, Steps
from vsim.engine.service import ServiceState
from vsim.engine.startup import StartPlan, boot, provision, start
from vsim.engine.timer import scheduled
from vsim.engine.variates import stream

__all__ = ["provision_s"]


def provision_s(cluster: Cluster) -> tuple[float | None, int]:
    """Return the mean over services of the seconds until one more replica is ready, and the events that it took.

    The mean is None without services.

    Asks the cluster's placement, and so changes it: call it last. The image isn't there yet where the scenario says
    so; nothing else runs on the machine meanwhile.
    """
    found = [_one_more(cluster, state) for state in cluster.services]
    times = [seconds for seconds, _ in found]
    return (sum(times) / len(times) if times else None), sum(events for _, events in found)


def _one_more(cluster: Cluster, state: ServiceState) -> tuple[float, int]:
    hosts_before = len(cluster.hosts)
    wanted = Instance(state, len(state.instances), state.service.memory_bytes)
    placed = cluster.place(wanted)
    new_host = not placed or len(cluster.hosts) > hosts_before
    # The instance joins a guest that runs only if placement found it a place in one.
    joins = placed and wanted.guest is not None and len(wanted.guest.instances) > 1
    rng = stream(cluster.scenario.run.seed, cluster.replication, "provision", state.index)
    plan = StartPlan(cluster.architecture, state.service, cluster.hardware, rng)
    env = simpy.Environment()
    host = Host(env, 0, cluster.hardware, None)
    guest = Guest(host)
    instance = Instance(state, wanted.number, wanted.memory_bytes)
    instance.host, instance.guest = host, guest
    if joins:
        guest.state = "up"
    if not new_host:
        host.set_state("up")
    if cluster.scenario.start.images == "warm" and not new_host:
        host.images[plan.image] = guest.images[plan.image] = None

    def boot_host(off: Host) -> None:
        Script().run(boot(off, plan))

    def steps() -> Steps:
        if new_host:
            yield from provision(host, plan, with_chassis=cluster.needs_chassis(hosts_before))
        yield from start(instance, plan, None, boot_host)

    Script().run(steps())
    env.run()
    return float(env.now), scheduled(env)
