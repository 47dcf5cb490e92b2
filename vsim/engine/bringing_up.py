"""An application brought up in simulated time, service by service in the order of what they wait for, and taken down.

The order is that of Docker Compose (version 2, ``pkg/compose``: convergence, start, down): everything is fetched; then
everything is created, a service after those that it depends on; then everything is started, in the same order. A
service whose turn it is looks at what it waits for at regular intervals. Health checks are those of Docker Engine
(``daemon/health.go``). Machines and guests have no orchestrator of their own; the same order is taken there: machines
boot and guests boot while everything is fetched, and their services are started in order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.health import monitor
from vsim.engine.launched import Launched
from vsim.engine.pulling import Pulling, Stores
from vsim.engine.script import Script, Step, Steps
from vsim.engine.startup import Costing, fetch_once, open_guest, stage_steps, wait_cost, wait_for_host
from vsim.engine.timeline import FAILED, Outcome, Row, Span, Timeline
from vsim.engine.variates import stream
from vsim.errors import InputError
from vsim.model.orchestration import Condition, HealthCheck, Launch, Orchestrator, Prerequisite, Supervised, Supervision
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from vsim.engine.startup import _StageCost

__all__ = ["CREATE", "simulate_bringing_up"]

# The stages of a start that make an instance without running it, in every layer and in what a bench measures.
CREATE = "create"


def simulate_bringing_up(
    architecture: Architecture,
    scenario: Scenario,
    launches: Mapping[str, Launch],
    supervision: Mapping[str, Supervision],
    orchestrator: Orchestrator,
    replication: int = 0,
    pulling: Pulling | None = None,
) -> Timeline:
    """Return how the services of `scenario` come up on `architecture`, and go down again.

    `launches` says in which order (a service that isn't in it waits for nothing), `supervision` what layers charge for
    checking and stopping, `pulling` which images are pulled layer by layer. The seed of the scenario and the
    replication fix every random draw. Raises InputError when the architecture can't carry a service, or a health check
    would be run more than ten thousand times.
    """
    env = simpy.Environment()
    cluster = Cluster(env, architecture, scenario, replication)
    cluster.place_all()
    if cluster.unplaced:
        raise InputError(
            f"no place on {architecture.name} for {cluster.unplaced} of the instances",
            hint="give the fleet more hosts, or leave `fleet.hosts` out",
        )
    cluster.power_on()
    run = _BringingUp(cluster, launches, Supervised(architecture, supervision), orchestrator, replication)
    if pulling is not None:
        run.stores = Stores(env, pulling, architecture)
    return run.timeline()


class _BringingUp:
    def __init__(
        self,
        cluster: Cluster,
        launches: Mapping[str, Launch],
        supervised: Supervised,
        orchestrator: Orchestrator,
        replication: int,
    ) -> None:
        self.env = cluster.env
        self.cluster = cluster
        self.poll_s = orchestrator.poll_s.value
        self.stop_s = orchestrator.stop_s.value
        costs = Costing(cluster.hardware, stream(cluster.scenario.run.seed, replication, "supervision"))
        self.probe = costs(supervised.probe)
        self.stop = costs(supervised.stop)
        self.remove = costs(supervised.remove)
        self.shut_down = costs(supervised.shut_down)
        names = [state.service.name for state in cluster.services]
        self.launches = {name: launches.get(name, Launch(name)) for name in names}
        # what is not there is not waited for
        self.after = {
            name: [one for one in launch.after if one.service in self.launches]
            for name, launch in self.launches.items()
        }
        self.units = {
            state.service.name: [
                Launched(self.env, instance, self.launches[state.service.name]) for instance in state.instances
            ]
            for state in cluster.services
        }
        self.failure: str | None = None
        self.stores: Stores | None = None
        for unit in self.all_units:  # what is built anew isn't there, whatever the scenario says
            instance = unit.instance
            if unit.launch.build_s is not None and instance.host is not None and instance.guest is not None:
                name = instance.service.service.image.name
                instance.host.images.pop(name, None)
                instance.guest.images.pop(name, None)

    @property
    def all_units(self) -> Iterator[Launched]:
        return (unit for units in self.units.values() for unit in units)

    # -- up ---------------------------------------------------------------------------------------------------------

    def timeline(self) -> Timeline:
        started: list[float] = []
        over = self._spawn(self._up(started))
        self.env.run(until=over)
        for unit in self.all_units:
            if unit.monitor is not None:
                unit.monitor.cancel()
        up = [unit.row() for unit in self.all_units]
        failed = self.failure or next((f"{r.service} is {r.outcome}" for r in up if r.outcome in FAILED), None)
        begin = self.env.now
        rows = self._take_down()
        return Timeline(
            architecture=self.cluster.architecture.name,
            up=tuple(up),
            started_s=started[0] if started and self.failure is None else None,
            up_s=None if failed else float(begin),
            failure=failed,
            down=tuple(rows),
            down_s=float(self.env.now - begin),
        )

    def _spawn(self, steps: Steps) -> simpy.Event:
        """Begin `steps` on their own; return the event of their end."""
        done = simpy.Event(self.env)

        def to_the_end() -> Steps:
            yield from steps
            done.succeed()

        Script().run(to_the_end())
        return done

    def _all(self, events: Iterable[simpy.Event]) -> Step:
        return simpy.AllOf(self.env, list(events)), None

    def _up(self, started: list[float]) -> Steps:
        yield self._all([self._spawn(self._prepare(unit)) for unit in self.all_units])
        yield from self._in_order(self._create_service)
        yield from self._in_order(self._start_service)
        started.append(float(self.env.now))
        # what runs goes on to its end, also when something else has failed
        yield self._all([unit.settled for unit in self.all_units if unit.running or unit.settled.triggered])

    def _in_order(self, visit: Callable[[str], Steps]) -> Steps:
        """Visit all services at once, each after those that it depends on."""
        visited = {name: simpy.Event(self.env) for name in self.launches}

        def one(name: str) -> Steps:
            yield self._all([visited[before.service] for before in self.after[name]])
            yield from visit(name)
            visited[name].succeed()

        yield self._all([self._spawn(one(name)) for name in self.launches])

    def _prepare(self, unit: Launched) -> Steps:
        """Have the machine, the image, and the guest there."""
        instance = unit.instance
        host, guest = instance.host, instance.guest
        assert host is not None
        assert guest is not None
        plan = self.cluster.plans[instance.service.index]
        instance.state, instance.asked_at = "starting", self.env.now
        yield from wait_for_host(host, self.cluster.boot)
        unit.span("boot")
        # an application's image is fetched, or built, where the application runs: in the guest, if there is one
        above = bool(self.cluster.architecture.stack.above)
        if above:
            yield from fetch_once(host.images, plan.image, host, plan.host_image)
            unit.span("pull")
        else:
            yield from self._image(unit, host.images, plan.host_image)
        yield from open_guest(guest, plan, None)
        unit.span("guest")
        if above:
            yield from self._image(unit, guest.images, plan.guest_image)

    def _image(
        self, unit: Launched, images: dict[str, list[simpy.Event] | None], stages: tuple[_StageCost, ...]
    ) -> Steps:
        """Have the image there: build it if it is to be built, else fetch it."""
        host, name = unit.instance.host, self.cluster.plans[unit.instance.service.index].image
        assert host is not None
        if unit.launch.build_s is None:
            if self.stores is not None and self.stores.knows(name):
                yield from self.stores.fetch(images, name, host)
            else:
                yield from fetch_once(images, name, host, stages)
            unit.span("pull")
            return
        yield from fetch_once(images, name, host, (wait_cost("image", "build", unit.launch.build_s),))
        unit.span("build")

    def _create_service(self, name: str) -> Steps:
        yield self._all([self._spawn(self._create(unit)) for unit in self.units[name]])

    def _create(self, unit: Launched) -> Steps:
        host = unit.instance.host
        assert host is not None
        unit.span("wait")
        for stage in self.cluster.plans[unit.instance.service.index].unit:
            if stage.name == CREATE:
                yield from stage_steps(host, stage)
        unit.span("create")

    def _start_service(self, name: str) -> Steps:
        """Wait for what the service depends on, then start its instances one after another."""
        watched = [one for one in self.after[name] if one.condition != "service_started"]
        yield self._all([self._spawn(self._watch(name, one)) for one in watched])
        for unit in self.units[name]:
            if self.failure is not None:  # it gives up: what runs by then goes on running
                return
            yield from self._start(unit)

    def _start(self, unit: Launched) -> Steps:
        host = unit.instance.host
        assert host is not None
        unit.span("wait")
        for stage in self.cluster.plans[unit.instance.service.index].unit:
            if stage.name != CREATE:
                yield from stage_steps(host, stage)
        unit.span("start")
        unit.started_s = float(self.env.now)
        unit.running = True
        unit.change()
        if unit.launch.check is not None:
            unit.monitor = Script()
            unit.monitor.run(monitor(unit, unit.launch.check, self.probe, self._work_core_s(unit.launch.check)))
        self._spawn(self._application(unit))

    def _work_core_s(self, check: HealthCheck) -> float:
        return check.cpu_core_s * self.cluster.architecture.cpu.user / self.cluster.hardware.speed

    def _application(self, unit: Launched) -> Steps:
        """Go through the application's own start; a task is done then."""
        instance, host = unit.instance, unit.instance.host
        assert host is not None
        plan = self.cluster.plans[instance.service.index]
        if plan.app is not None:
            yield from stage_steps(host, plan.app)
        unit.span("application")
        if not self.cluster.came_up(instance):
            self._exit(unit, "refused")
            return
        unit.ready_s = float(self.env.now)
        if unit.launch.ends:
            self.cluster.take_down(instance)
            self._exit(unit, "done")
        elif unit.launch.check is None:
            unit.settle("ready")

    def _exit(self, unit: Launched, outcome: Outcome) -> None:
        if unit.monitor is not None:
            unit.monitor.cancel()
        unit.running, unit.exited = False, True
        unit.settle(outcome)
        unit.change()

    # -- waiting for one another ------------------------------------------------------------------------------------

    def _watch(self, name: str, wanted: Prerequisite) -> Steps:
        """Look at a service, again and again, until it is as `wanted` or never will be."""
        begin = self.env.now
        units = self.units[wanted.service]
        while True:
            if self.poll_s > 0:
                turn = math.floor((self.env.now - begin) / self.poll_s) + 1
                yield simpy.Timeout(self.env, max(0.0, begin + turn * self.poll_s - self.env.now)), None
            if self.failure is not None:
                return
            met, why = _state(units, wanted.condition)
            if why is not None and wanted.required:
                self.failure = f"{name} is not started: {why}"
                for unit in self.all_units:
                    unit.change()
            if met or why is not None:
                return
            # nobody is asked until there is something new: the next look is the first one after that
            yield simpy.AnyOf(self.env, [unit.changed for unit in units]), None

    # -- down -------------------------------------------------------------------------------------------------------

    def _take_down(self) -> list[Row]:
        """Stop and remove everything, what others depend on last; return the instances on their way."""
        begin = self.env.now
        dependents: dict[str, list[str]] = {name: [] for name in self.launches}
        for name, before in self.after.items():
            for earlier in before:
                dependents[earlier.service].append(name)
        gone = {name: simpy.Event(self.env) for name in self.launches}
        for unit in self.all_units:
            unit.spans, unit.begin_s = [], begin

        def one(name: str) -> Steps:
            yield self._all([gone[other] for other in dependents[name]])
            yield self._all([self._spawn(self._end(unit)) for unit in self.units[name]])
            gone[name].succeed()

        def every() -> Steps:
            yield self._all([self._spawn(one(name)) for name in self.launches])

        self.env.run(until=self._spawn(every()))
        return [_since(begin, unit) for unit in self.all_units]

    def _end(self, unit: Launched) -> Steps:
        """Stop an instance, which has its time to end by itself, remove it, and its guest with the last one in it."""
        instance, guest, host = unit.instance, unit.instance.guest, unit.instance.host
        assert host is not None
        assert guest is not None
        unit.span("wait")
        if unit.running:
            own = self.stop_s if unit.launch.stop_s is None else unit.launch.stop_s
            yield simpy.Timeout(self.env, min(own, unit.launch.stop_grace_s)), None
            for stage in self.stop:
                yield from stage_steps(host, stage)
            unit.span("stop")
        for stage in self.remove:
            yield from stage_steps(host, stage)
        unit.span("remove")
        guest.instances.remove(instance)
        if not guest.instances:
            for stage in self.shut_down:
                yield from stage_steps(host, stage)
            unit.span("shut down")
        unit.end_s = float(self.env.now)


def _state(units: Sequence[Launched], condition: Condition) -> tuple[bool, str | None]:
    """Return whether a service is in the state `condition`, and if it never will be, why."""
    name = units[0].launch.service
    if condition == "service_completed_successfully":
        if any(unit.outcome == "refused" for unit in units):
            return False, f"{name} is refused for want of memory"
        return all(unit.exited for unit in units), None if units[0].launch.ends else f"{name} never ends"
    for unit in units:
        if unit.exited:
            return False, f"{name} has exited"
        if unit.launch.check is None:
            return False, f"{name} has no healthcheck"
        if unit.health == "unhealthy":
            return False, f"{name} is unhealthy"
        if unit.health == "starting":
            return False, None
    return True, None


def _since(begin: float, unit: Launched) -> Row:
    """Return an instance's way with its times counted from `begin`."""
    row = unit.row()
    spans = tuple(Span(span.phase, span.begin_s - begin, span.end_s - begin) for span in row.spans)
    end = None if row.end_s is None else row.end_s - begin
    return Row(row.service, row.number, row.host, spans, row.outcome, end_s=end)
