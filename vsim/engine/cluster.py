"""The fleet of one architecture: places instances, starts them, takes them down.

The state lives in hosts, guests and instances; this module holds the rules by which they change.
"""

from __future__ import annotations

import math

import simpy

from vsim.engine.demand import as_services
from vsim.engine.host import Hardware, Host
from vsim.engine.instance import Guest, Instance
from vsim.engine.placement import placement
from vsim.engine.script import Script, Steps
from vsim.engine.service import ServiceState
from vsim.engine.startup import Reached, StartPlan, boot, start
from vsim.engine.variates import lognormal, stream
from vsim.errors import InputError
from vsim.model.layer import BOUNDARIES
from vsim.model.stack import Architecture
from vsim.model.workload import Service
from vsim.scenario.scenario import Scenario
from vsim.scenario.written import located

__all__ = ["Cluster"]

# How many hosts start on one clock: speed; with fewer hosts than this there is one clock for all.
_HOSTS_AT_A_TIME = 1000


class Cluster:
    """Hosts of one architecture with the instances of a scenario's services on them."""

    def __init__(
        self, env: simpy.Environment, architecture: Architecture, scenario: Scenario, replication: int
    ) -> None:
        self.env = env
        self.architecture = architecture
        self.scenario = scenario
        self.hardware = Hardware(architecture)
        self.hosts: list[Host] = []
        self.unplaced = 0
        self.replication = replication
        fleet = scenario.fleet
        self.dedicated = BOUNDARIES.index(architecture.boundary) < BOUNDARIES.index(fleet.isolation)
        self._layer_cores = architecture.guest_cores + architecture.instance_cores
        self._in_guests = bool(architecture.stack.above)
        self._index = placement(fleet.placement)
        self._memory_limit = self.hardware.memory_bytes * fleet.memory_overcommit
        self._cores_limit = self.hardware.cores * fleet.cpu_overcommit
        chassis = architecture.machine.chassis
        self._slots = None if chassis is None else round(chassis.slots.value)
        self._open_guest: Guest | None = None
        self._stage_rng = stream(scenario.run.seed, replication, "stages")
        self._boot_plan = StartPlan(architecture, None, self.hardware, self._stage_rng)
        services = (*scenario.workload.services, *as_services(scenario.workload.demands, fleet.reserve))
        self.services = [ServiceState(env, i, service) for i, service in enumerate(services)]
        self.plans = [StartPlan(architecture, service, self.hardware, self._stage_rng) for service in services]
        self._named = frozenset(job.host for job in scenario.workload.jobs)
        for _ in range(
            max(max(self._named, default=-1) + 1, fleet.hosts if fleet.hosts is not None else fleet.min_hosts)
        ):
            self._add_host()

    # -- placement --------------------------------------------------------------------------------------------------

    def place_all(self) -> None:
        """Place every replica of every service, in the scenario's order. Replicas without a place are counted."""
        for state in self.services:
            service = state.service
            with located(service.name):
                self._check_fits(service)
            for number, memory in enumerate(self._memory_sizes(state)):
                instance = Instance(state, number, memory)
                state.instances.append(instance)
                if not self.place(instance):
                    instance.state = "refused"
                    self.unplaced += 1

    def _memory_sizes(self, state: ServiceState) -> list[float]:
        service = state.service
        if not service.memory_cv:
            return [service.memory_bytes] * service.replicas
        rng = stream(self.scenario.run.seed, self.replication, "sizes", state.index)
        sizes: list[float] = (service.memory_bytes * lognormal(rng, service.memory_cv, service.replicas)).tolist()
        return sizes

    def _check_fits(self, service: Service) -> None:
        """Raise InputError when an average replica doesn't fit on an empty machine, or the stack can't run it."""
        architecture = self.architecture
        lacking = sorted(service.requires - architecture.capabilities - architecture.machine.offers)
        if lacking:
            raise InputError(
                f"the service {service.name!r} requires {', '.join(lacking)}, which {architecture.name} doesn't offer",
                hint="choose another stack or machine, or require less",
            )
        if self.hardware.host_cores + self._layer_cores >= self.hardware.cores:
            raise InputError(f"the layers of {architecture.name} keep all cores of the machine busy by themselves")
        memory, cores = self.need(service, service.memory_bytes, opens_guest=True)
        free_memory = self._memory_limit - architecture.host_memory_bytes
        free_cores = self._cores_limit - self.hardware.host_cores
        if memory > free_memory:
            raise InputError(
                f"a replica of {service.name!r} needs {_gib(memory)} of memory on {architecture.name}, its layers "
                f"included, and an empty machine has {_gib(max(0.0, free_memory))} left for it",
                hint="choose a larger machine, a stack with less overhead, or a smaller service",
            )
        if cores > free_cores:
            raise InputError(
                f"a replica of {service.name!r} reserves {cores:.3g} cores on {architecture.name}, "
                f"and an empty machine has {max(0.0, free_cores):.3g}",
                hint="choose a machine with more cores, or raise fleet.cpu_overcommit",
            )

    def need(self, service: Service, memory_bytes: float, *, opens_guest: bool) -> tuple[float, float]:
        """Return the memory (bytes) and the cores that one more instance takes from a host, nothing shared."""
        architecture = self.architecture
        memory = memory_bytes * (1 + architecture.memory_fraction) + architecture.instance_memory_bytes
        cores = service.cpu_cores * architecture.cpu.user / self.hardware.speed + architecture.instance_cores
        if opens_guest:
            memory += architecture.guest_memory_bytes
            cores += architecture.guest_cores
        return memory, cores

    def place(self, instance: Instance, *, may_add_host: bool = True) -> bool:
        """Give `instance` a host and a guest, or return False when no host has room and none may be added."""
        service = instance.service.service
        size = min(self.architecture.guest_size, self.architecture.max_instances_per_environment)
        guest = self._open_guest
        if self.architecture.guest_size > 1 and guest is not None and len(guest.instances) < size:
            memory, cores = self.need(service, instance.memory_bytes, opens_guest=False)
            free_memory, free_cores = self._free(guest.host)
            if memory <= free_memory and cores <= free_cores:
                self._put(instance, guest, memory, cores)
                return True
        memory, cores = self.need(service, instance.memory_bytes, opens_guest=True)
        number = self._index.find(memory, cores)
        if number is None:
            if self.scenario.fleet.hosts is not None or not may_add_host:
                return False
            number = self._add_host().index
            free_memory, free_cores = self._room(self.hosts[number])
            if memory > free_memory or cores > free_cores:
                # an average replica fits (that was checked), this larger one doesn't
                return False
        self._open_guest = guest = self._new_guest(self.hosts[number])
        self._put(instance, guest, memory, cores)
        return True

    def _new_guest(self, host: Host) -> Guest:
        guest = Guest(host)
        host.guests.append(guest)
        host.add_background(self.architecture.guest_cores)
        return guest

    def _put(self, instance: Instance, guest: Guest, memory: float, cores: float) -> None:
        host = guest.host
        saved = self._shared_bytes(instance, host)
        instance.guest, instance.host = guest, host
        instance.promised_bytes = memory - saved
        instance.promised_cores = cores
        untouched = instance.memory_bytes * (1 - instance.service.service.memory_touched)
        instance.used_bytes = max(0.0, memory - saved - untouched)
        guest.instances.append(instance)
        host.instances.append(instance)
        host.promised_bytes += instance.promised_bytes
        host.promised_cores += cores
        host.add_background(self.architecture.instance_cores)
        self._reindex(host)

    def remove(self, instance: Instance) -> None:
        """Stop an instance, whatever it is doing, and take it off its host."""
        self.take_down(instance)
        self._evict(instance)

    def _evict(self, instance: Instance) -> None:
        """Take a stopped instance off its host, and its guest with it if it was the last one there."""
        host, guest = instance.host, instance.guest
        assert host is not None
        assert guest is not None
        guest.instances.remove(instance)
        host.instances.remove(instance)
        host.promised_bytes -= instance.promised_bytes
        host.promised_cores -= instance.promised_cores
        host.add_background(-self.architecture.instance_cores)
        if not guest.instances:
            host.guests.remove(guest)
            host.add_background(-self.architecture.guest_cores)
            if self._open_guest is guest:
                self._open_guest = None
        self._reindex(host)

    def _shared_bytes(self, instance: Instance, host: Host) -> float:
        """Return what `instance` saves on `host` because an equal one, or another guest, is already there."""
        architecture, service = self.architecture, instance.service.service
        saved = 0.0
        if len(host.guests) > 1 and not host.guests[-1].instances:
            saved += architecture.guest_shared_bytes
        if host.instances:
            saved += architecture.instance_shared_bytes
        common = service.shareable * service.memory_bytes * architecture.sharing
        if common and any(other.service is instance.service for other in host.instances):
            saved += min(common, instance.memory_bytes)
        return saved

    def _room(self, host: Host) -> tuple[float, float]:
        """Return the memory (bytes) and cores that may still be promised; (−1, −1) when nothing may be added."""
        full = (
            host.state == "down"
            or (self.dedicated and host.instances)
            or len(host.guests) >= self.architecture.max_guests
            or (not self._in_guests and len(host.instances) >= self.architecture.max_instances_per_environment)
        )
        return (-1.0, -1.0) if full else self._free(host)

    def _free(self, host: Host) -> tuple[float, float]:
        # What layers do in the background is done, whatever was promised to whom: something has to be left beside it.
        if host.background_cores + self._layer_cores >= self.hardware.cores:
            return -1.0, -1.0
        memory = self._memory_limit - self.architecture.host_memory_bytes - host.promised_bytes
        cores = self._cores_limit - self.hardware.host_cores - host.promised_cores
        return memory, cores

    def _reindex(self, host: Host) -> None:
        self._index.set(host.index, *self._room(host))

    def _add_host(self) -> Host:
        index = len(self.hosts)
        host = Host(self.env, index, self.hardware, None if self._slots is None else index // self._slots)
        host.used_bytes = self.architecture.host_memory_bytes
        self.hosts.append(host)
        self._reindex(host)
        return host

    @property
    def used_hosts(self) -> list[Host]:
        """The hosts that carry at least one instance, or that a job names."""
        return [host for host in self.hosts if host.instances or host.index in self._named]

    def needs_chassis(self, host: int) -> bool:
        """Return whether the machine with this number would be the first in its chassis."""
        return self._slots is not None and host % self._slots == 0

    # -- start ------------------------------------------------------------------------------------------------------

    def start_all(self) -> None:
        """Give every placed instance the order to start, now."""
        self.power_on()
        for state in self.services:
            for instance in state.instances:
                if instance.host is not None:
                    self.start(instance)

    def start_up(self) -> None:
        """Start everything and run until it is up, while nothing else goes on.

        Starts on different hosts have nothing in common, so they needn't share the time: some hosts after others go
        through it from the same moment on. The queue of events stays short that way, and what it touches stays in the
        processor's cache: a large fleet starts twice as fast.
        """
        self.power_on()
        batches: list[list[Instance]] = [[] for _ in range(0, len(self.hosts), _HOSTS_AT_A_TIME)]
        for state in self.services:
            for instance in state.instances:
                if instance.host is not None:
                    batches[instance.host.index // _HOSTS_AT_A_TIME].append(instance)
        env = self.env
        begin = end = env.now
        for batch in batches:
            env._now = begin
            for instance in batch:
                self.start(instance)
            env.run()
            end = max(end, env.now)
        env._now = end
        for state in self.services:
            state.count_from_now()

    def power_on(self) -> None:
        """Set the hosts up that run when the starts begin, with the images that are there by then."""
        policy = self.scenario.start
        for host in self.hosts:
            running = policy.hosts_up == "all" or (policy.hosts_up == "shared" and not self.dedicated)
            if running and host.instances:
                host.set_state("up")
            if policy.images == "warm":
                self._warm(host)
        for host in self.used_hosts:
            if not host.instances:  # it is there for its jobs alone
                host.set_state("up")

    def _warm(self, host: Host) -> None:
        for instance in host.instances:
            host.images[instance.service.service.image.name] = None
            assert instance.guest is not None
            instance.guest.images[instance.service.service.image.name] = None

    def start(self, instance: Instance) -> None:
        """Give a placed instance the order to start, now."""
        instance.state = "starting"
        instance.asked_at = self.env.now
        instance.start = Script()
        instance.start.run(self.starting(instance))

    def starting(self, instance: Instance, reached: Reached | None = None) -> Steps:
        """Go through the start of a placed instance, which is up afterwards, or refused for want of memory.

        `reached` is told the stages (see :func:`vsim.engine.startup.start`).
        """
        plan = self.plans[instance.service.index]
        yield from start(instance, plan, self.scenario.start.concurrency, self.boot, reached)
        self.came_up(instance)

    def came_up(self, instance: Instance) -> bool:
        """Take note that the start of `instance` is over. Return False when it is refused for want of memory."""
        host = instance.host
        assert host is not None
        if not self._take_memory(instance, host):
            return False
        instance.state = "up"
        host.running += 1
        instance.start_s = self.env.now - instance.asked_at
        instance.service.went_up(instance)
        return True

    def boot(self, host: Host) -> None:
        """Power a host on."""
        host.booting = Script()
        host.booting.run(boot(host, self._boot_plan))

    # -- memory -----------------------------------------------------------------------------------------------------

    def _take_memory(self, instance: Instance, host: Host) -> bool:
        """Charge the memory of a started instance; beyond the machine's memory refuse it, or kill the largest."""
        host.used_bytes += instance.used_bytes
        if host.used_bytes <= self.hardware.memory_bytes * (1 + math.ulp(1.0)):
            return True
        if self.scenario.fleet.beyond_memory == "refused":
            host.used_bytes -= instance.used_bytes
            instance.state = "refused"
            self.unplaced += 1
            return False
        # the kernel's out-of-memory killer takes the process whose end frees most
        running = [other for other in host.instances if other.state == "up"]
        victim = max([*running, instance], key=lambda other: other.used_bytes)
        self.unplaced += 1
        if victim is instance:
            host.used_bytes -= instance.used_bytes
            instance.state = "killed"
            return False
        self.take_down(victim)
        victim.state = "killed"
        return True

    # -- down and up again ------------------------------------------------------------------------------------------

    def take_down(self, instance: Instance) -> None:
        """Stop an instance at once: its start, or its requests, are lost."""
        if instance.state == "starting":
            if instance.start is not None:
                instance.start.cancel()
        elif instance.state == "up":
            instance.service.went_down(instance)
            assert instance.host is not None
            instance.host.used_bytes -= instance.used_bytes
            instance.host.running -= 1
            if instance.requests:
                for request in list(instance.requests):
                    request.cancel()
        else:
            return
        instance.state = "down"

    def take_guest_down(self, guest: Guest) -> None:
        """Stop a guest and all instances in it."""
        for instance in guest.instances:
            self.take_down(instance)
        guest.state = "off"

    def take_host_down(self, host: Host) -> None:
        """Stop a host and everything on it."""
        if host.booting is not None:
            host.booting.cancel()
        for guest in host.guests:
            self.take_guest_down(guest)
        host.waiting_for_boot.clear()
        host.set_state("down")
        self._reindex(host)
        if self._open_guest is not None and self._open_guest.host is host:
            self._open_guest = None
        if self.scenario.fleet.recovery == "reschedule":
            self._reschedule(host)

    def _reschedule(self, host: Host) -> None:
        """Start what went down with `host` on other hosts, as far as they have room; the rest waits for the repair."""
        for instance in [one for one in host.instances if one.state == "down"]:
            memory, cores = self.need(instance.service.service, instance.memory_bytes, opens_guest=True)
            self._evict(instance)
            if self.place(instance, may_add_host=False):
                self.start(instance)
            else:
                self._put(instance, self._new_guest(host), memory, cores)

    def bring_back(self, host: Host) -> None:
        """Start all that is down on a host that was repaired; the first start powers it on."""
        host.set_state("off")
        self._reindex(host)
        for instance in host.instances:
            if instance.state == "down":
                self.start(instance)


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f} GiB"
