"""One idle host in simulated time, on which a step of a plan starts its instances."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.instance import Instance
from vsim.engine.script import Script, Step, Steps
from vsim.model.plan import WEIGHING_PAUSE_S, WEIGHINGS
from vsim.model.probe import LAUNCHER
from vsim.model.stack import Architecture
from vsim.model.workload import Image, Service, Workload
from vsim.scenario.scenario import Fleet, Run, Scenario

__all__ = ["Launched", "Launching", "StageError", "World"]

# Stages of these names end a call of the harness; what comes after the first instruction is `ready`.
_CREATE, _START, _READY = "create", "start", "ready"


class StageError(Exception):
    """Something could not be done, in the stage `stage`: what becomes the record of a failure."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.message = message


@dataclass(frozen=True, slots=True)
class Launched:
    """An instance that is ready, and what it took, in seconds, as :class:`vsim.bench.lifecycle.Launched` has it.

    `startup_s` counts from the call of create to the first instruction. `create_s` ends with the stage of that name;
    `start_s` (until the stage `start` is over), `first_instruction_s` and `ready_s` count from the call of start. They
    are None where no layer says when that is.
    """

    instance: Instance
    startup_s: float
    create_s: float | None = None
    start_s: float | None = None
    first_instruction_s: float | None = None
    ready_s: float | None = None


Launching = Generator[Step, None, Launched]


class World:
    """A host of `architecture` that is up, with the probe's image and nothing else on it.

    Each instance keeps `touch_bytes` resident. `launch_core_s` is what asking for one of several starts takes the
    harness. `seed` and `replication` choose the random factors of the stages.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        seed: int,
        replication: int,
        touch_bytes: float = 0.0,
        launch_core_s: float = 0.0,
    ) -> None:
        self.env = simpy.Environment()
        self._touch_bytes = touch_bytes
        self._launch_core_s = launch_core_s
        # The probe is one small program that doesn't leave the page cache.
        service = Service("probe", 1, touch_bytes, Image("probe", 0.0))
        scenario = Scenario(
            name="plan",
            title="A step of a plan",
            architectures=(),
            workload=Workload(services=(service,)),
            # How many there are is the plan's business, not placement's.
            fleet=Fleet(hosts=1, cpu_overcommit=math.inf, memory_overcommit=math.inf),
            run=Run(seed=seed),
        )
        self._cluster = Cluster(self.env, architecture, scenario, replication)
        (self.host,) = self._cluster.hosts
        self.host.set_state("up")
        self.host.images[service.image.name] = None
        self._idling_core_s = 0.0
        self._since = 0.0

    @property
    def now(self) -> float:
        """Seconds since the step began."""
        return float(self.env.now)

    # -- instances --------------------------------------------------------------------------------------------------

    def launch(self, number: int) -> Launching:
        """Start an instance and return when it is ready. Raises StageError."""
        cluster, env = self._cluster, self.env
        state = cluster.services[0]
        instance = Instance(state, number, self._touch_bytes)
        self._settle()
        if not cluster.place(instance):
            raise StageError(_CREATE, self._why())
        guest = instance.guest
        assert guest is not None
        guest.images[state.service.image.name] = None
        begin = env.now
        created: float | None = None
        started: float | None = None
        first = begin

        def reached(stage: str) -> None:
            nonlocal created, started, first
            if stage == _CREATE:
                created = env.now
            elif stage == _START:
                started = env.now
            if stage != _READY:
                first = env.now

        instance.state = "starting"
        instance.asked_at = begin
        yield from cluster.starting(instance, reached)
        if instance.start_s is None:
            self.retire(instance)
            raise StageError(_READY, f"the host's {cluster.hardware.memory_bytes:.0f} bytes of memory are used up")
        if created is None:
            return Launched(instance, first - begin)
        return Launched(
            instance,
            startup_s=first - begin,
            create_s=created - begin,
            start_s=None if started is None else started - created,
            first_instruction_s=first - created,
            ready_s=env.now - created,
        )

    def retire(self, instance: Instance) -> None:
        """Remove an instance; it takes no time, as no layer says how long it does."""
        self._settle()
        self._cluster.remove(instance)

    def _why(self) -> str:
        count, most = len(self.host.instances), self._cluster.architecture.max_instances_per_environment
        if count >= min(most, self._cluster.architecture.max_guests):
            return f"the layers allow no more than the {count} instances that there are"
        return "the layers keep all cores of the machine busy by themselves"

    # -- time -------------------------------------------------------------------------------------------------------

    def run(self, steps: Steps) -> None:
        """Go through `steps` to their end. Raises StageError."""
        Script().run(steps)
        self.env.run()

    def pause(self, seconds: float) -> Steps:
        """Let time pass."""
        if seconds > 0:
            yield simpy.Timeout(self.env, seconds), None

    def at_once(self, scripts: Iterable[Steps]) -> Steps:
        """Begin all of `scripts` now and go on when the last one has ended."""
        todo = list(scripts)
        left = len(todo)
        over = simpy.Event(self.env)

        def counted(steps: Steps) -> Steps:
            nonlocal left
            yield from steps
            left -= 1
            if not left:
                over.succeed()

        for steps in todo:
            Script().run(counted(steps))
        if todo:
            yield over, None

    def launches(self, count: int) -> Sequence[simpy.Event | None]:
        """Let the harness ask for `count` starts, one after another; return the events at which each is asked for.

        The harness computes for each, in the section that it shares with its own work for those that have begun. None
        stands for a start that is asked for at once: all of them if that takes the harness nothing, and a single one.
        """
        if count < 2 or not self._launch_core_s:
            return [None] * count
        events = [simpy.Event(self.env) for _ in range(count)]
        Script().run(self._asking(events))
        return events

    def _asking(self, events: Iterable[simpy.Event]) -> Steps:
        work = self._launch_core_s / self.host.hardware.speed
        section = self.host.section(LAUNCHER)
        for event in events:
            turn = section.enter()
            if turn is not None:
                yield turn, None
            yield self.host.cpu.submit(work), self.host.cpu
            section.leave(turn)
            event.succeed()
            # The start that has been asked for goes on first, and then whoever asks for the next.
            yield event, None

    # -- what the host shows ----------------------------------------------------------------------------------------

    def available_bytes(self) -> float:
        """Return the memory that is left."""
        return self.host.hardware.memory_bytes - self.host.used_bytes

    def next_bytes(self) -> float:
        """Return what one more instance takes if it has a guest of its own and shares nothing."""
        service = self._cluster.services[0].service
        return self._cluster.need(service, self._touch_bytes, opens_guest=True)[0]

    def weigh(self) -> Generator[Step, None, float]:
        """Return the memory that is left, once it has settled."""
        yield from self.pause(WEIGHINGS * WEIGHING_PAUSE_S)
        return self.available_bytes()

    def busy_core_s(self) -> float:
        """Return the CPU time that the host has spent so far, in core-seconds of its own cores."""
        self._settle()
        return self.host.served_core_s + self._idling_core_s

    def _settle(self) -> None:
        """Add up what the layers have computed in the background: it changes with each instance that comes or goes."""
        self._idling_core_s += self.host.background_cores * (self.now - self._since)
        self._since = self.now
