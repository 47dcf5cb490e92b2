"""Three applications brought up with the real engine and in the model: the time until they are healthy, within 15 %.

What one container takes on this host is measured first, with others than those of the applications. The engine is told
what Docker Compose (version 2) tells it, in the order that the Compose Specification and its source say; the model
reads the same applications from compose files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import os
import statistics
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.supervision import shell_image
from tests.conftest import lacking
from tests.engine.toys import architecture, layer, q, toy_machine
from vsim.calibration import builtin
from vsim.calibration.catalogue import load_application
from vsim.engine.bringing_up import simulate_bringing_up
from vsim.engine.timeline import Timeline
from vsim.experiment.bringing_up import orchestrator_of
from vsim.model.layer import Stage
from vsim.model.orchestration import Launch, Supervision
from vsim.scenario.compose import ComposeProject, load_project
from vsim.scenario.compose.project import ComposeService
from vsim.scenario.scenario import Scenario, Start

pytestmark = pytest.mark.slow

TOLERANCE = 0.15
# A host that does other things as well is not the same from one moment to the next. What a container takes is measured
# before and after each application, and the median error of all attempts so far decides.
ATTEMPTS = 5
# What was measured so many seconds ago or less is taken for the measurement before the next application.
FRESH_S = 5.0
POLL_S = 0.5
LABEL = "vsim.test.bring-up"
# How often the loop of a service runs: about a third of a second on a current core.
LOOPS = 120_000
# Computes, waits, is ready; a task ends then, a server when it is told to.
SERVICE = """\
#!/bin/sh
i=0
while [ $i -lt $1 ]; do i=$((i+1)); done
sleep $2
echo ready > /tmp/ready
[ "$3" = task ] && exit 0
trap 'exit 0' TERM
sleep 1000 &
wait
"""
DOCKERFILE = """\
FROM {base}
COPY service /service
HEALTHCHECK --interval=1s --timeout=5s --retries=10 CMD ["sh", "-c", "test -f /tmp/ready"]
ENTRYPOINT ["sh", "/service", "{loops}"]
CMD ["0", "server"]
"""
CHECK = "healthcheck: {test: [CMD, sh, -c, test -f /tmp/ready], interval: 1s, timeout: 5s, retries: 10}"
# Each service waits 0.1 s, or 0.4 s where it is a task: what is waited for never happens when somebody looks.
APPLICATIONS = {
    "two": """\
services:
  database: {image: "%(image)s", %(check)s, %(ready)s}
  web: {image: "%(image)s", depends_on: {database: {condition: service_healthy}}, %(check)s, %(ready)s}
""",
    "four": """\
services:
  database: {image: "%(image)s", %(check)s, %(ready)s}
  migrate: {image: "%(image)s", depends_on: {database: {condition: service_healthy}}, %(done)s}
  api: {image: "%(image)s", depends_on: {migrate: {condition: service_completed_successfully}}, %(check)s, %(ready)s}
  worker: {image: "%(image)s", depends_on: {database: {condition: service_healthy}}, %(check)s, %(ready)s}
""",
    "five": """\
services:
  database: {image: "%(image)s", %(check)s, %(ready)s}
  cache: {image: "%(image)s", %(check)s, %(ready)s}
  users:
    depends_on: {database: {condition: service_healthy}, cache: {condition: service_healthy}}
    image: "%(image)s"
    %(check)s
    %(ready)s
  orders:
    depends_on: {database: {condition: service_healthy}, cache: {condition: service_started}}
    image: "%(image)s"
    %(check)s
    %(ready)s
  gateway:
    depends_on: {users: {condition: service_healthy}, orders: {condition: service_healthy}}
    image: "%(image)s"
    %(check)s
    %(ready)s
""",
}
READY_WAIT_S, DONE_WAIT_S = 0.1, 0.4


# -- the engine --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    import docker
    import docker.errors
    import requests

    try:
        found = docker.APIClient(version="auto", timeout=60, max_pool_size=32)
        found.ping()
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        lacking(f"a Docker engine ({error})")
    yield found
    found.close()


@pytest.fixture(scope="module")
def image(engine: Any) -> Iterator[str]:
    """An image that is built here, on a base that is made here."""
    with contextlib.ExitStack() as stack:
        try:
            base = stack.enter_context(shell_image(engine, "vsim-test-up-base"))
        except FileNotFoundError as error:
            lacking(str(error))
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, text in (("Dockerfile", DOCKERFILE.format(base=base, loops=LOOPS)), ("service", SERVICE)):
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        context.seek(0)
        for message in engine.build(fileobj=context, custom_context=True, tag="vsim-test-up", decode=True, rm=True):
            assert "error" not in message, message["error"]
        try:
            yield "vsim-test-up:latest"
        finally:
            engine.remove_image("vsim-test-up:latest", force=True)


class Containers:
    """The containers of one attempt, on a network of their own; all of it is removed at the end."""

    def __init__(self, engine: Any, image: str) -> None:
        self.engine = engine
        self.image = image
        self.made: list[str] = []

    def __enter__(self) -> Containers:
        name = f"vsim-test-up-{os.getpid()}-{time.monotonic_ns()}"
        self.network = self.engine.create_network(name, labels={LABEL: "1"})["Id"]
        return self

    def __exit__(self, *error: object) -> None:
        at_once([partial(self.engine.remove_container, made, force=True, v=True) for made in self.made])
        self.engine.remove_network(self.network)

    def create(self, wait_s: float, *, task: bool = False, healthcheck: dict[str, Any] | None = None) -> str:
        made = self.engine.create_container(
            self.image,
            command=[str(wait_s), "task" if task else "server"],
            labels={LABEL: "1"},
            host_config=self.engine.create_host_config(network_mode=self.network),
            healthcheck=healthcheck or {"test": ["NONE"]},
        )["Id"]
        self.made.append(made)
        return str(made)

    def state(self, made: str) -> dict[str, Any]:
        return dict(self.engine.inspect_container(made)["State"])

    def settled(self, made: str, *, within_s: float = 60.0) -> float:
        """Wait until a container has ended or is healthy; return when that was, in seconds since the epoch."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            state = self.state(made)
            if state["Status"] == "exited":
                assert state["ExitCode"] == 0, state
                return moment(state["FinishedAt"])
            passed = [probe for probe in (state.get("Health") or {}).get("Log") or () if probe["ExitCode"] == 0]
            if passed:
                return moment(passed[0]["End"])
            time.sleep(0.1)
        raise AssertionError(f"{made} is not healthy after {within_s} s: {self.state(made)}")


def moment(text: str) -> float:
    """Return the seconds since the epoch of what the engine writes with nanoseconds, in UTC or a zone."""
    head, _, rest = text.partition(".")
    digits = rest.rstrip("Z").partition("+")[0].partition("-")[0]
    zone = "Z" if rest.endswith("Z") else rest[len(digits) :]
    whole = datetime.datetime.fromisoformat(f"{head}{zone}".replace("Z", "+00:00"))
    return whole.timestamp() + float(f"0.{digits}")


def at_once(calls: Sequence[Callable[[], object]]) -> float:
    """Make calls at the same time; return how long the slowest took."""
    begin = time.monotonic()
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begin


# -- what one container takes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """What a container takes, in seconds: its creation, its start, its own work, a check; and three starts at once."""

    create_s: float
    start_s: float
    run_s: float
    check_s: float
    three_s: float

    def mean_with(self, other: Measured) -> Measured:
        """Return the means of two measurements."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        create_s, start_s, run_s, check_s, three_s = ((one + two) / 2 for one, two in pairs)
        return Measured(create_s, start_s, run_s, check_s, three_s)


def measure(engine: Any, image: str) -> Measured:
    create, start, run = [], [], []
    with Containers(engine, image) as containers:
        for _ in range(2):
            begin = time.monotonic()
            made = containers.create(0, task=True)
            create.append(time.monotonic() - begin)
            start.append(at_once([partial(engine.start, made)]))
            ended = containers.settled(made)
            run.append(ended - moment(containers.state(made)["StartedAt"]))
        three = [containers.create(0, task=True) for _ in range(3)]
        three_s = at_once([partial(engine.start, made) for made in three])
        for made in three:
            containers.settled(made)
        checked = containers.create(0, healthcheck=as_docker_has_it(1.0, 5.0, 10))
        engine.start(checked)
        containers.settled(checked)
        probe = containers.state(checked)["Health"]["Log"][0]
        check_s = moment(probe["End"]) - moment(probe["Start"])
    middle = [statistics.median(times) for times in (create, start, run)]
    return Measured(middle[0], middle[1], middle[2], check_s, three_s)


def as_docker_has_it(interval_s: float, timeout_s: float, retries: int) -> dict[str, Any]:
    return {
        "test": ["CMD", "sh", "-c", "test -f /tmp/ready"],
        "interval": round(interval_s * 1e9),
        "timeout": round(timeout_s * 1e9),
        "retries": retries,
    }


# -- the model ---------------------------------------------------------------------------------------------------------


def simulated(measured: Measured, work_s: float, scenario: Scenario, launches: Mapping[str, Launch]) -> Timeline:
    """Bring an application up on a model of this host, where a start takes `work_s` of CPU and waits for the rest."""
    startup = (
        Stage("create", cpu_core_s=q(measured.create_s, name="create")),
        Stage("start", wait_s=q(measured.start_s - work_s), cpu_core_s=q(work_s)),
    )
    share = work_s / measured.start_s
    probe = Stage("exec", wait_s=q(measured.check_s * (1 - share)), cpu_core_s=q(measured.check_s * share))
    host = toy_machine(cores=q(os.cpu_count() or 1), memory_bytes=q(64 * 2**30))
    there = dataclasses.replace(scenario, start=Start(images="warm"))
    supervision = {"engine": Supervision("engine", "Docker Engine", probe=(probe,))}
    stack = architecture(layer("engine", startup=startup), machine=host)
    return simulate_bringing_up(stack, there, launches, supervision, orchestrator_of(builtin()))


def effective_work_s(measured: Measured, folder: Path) -> float:
    """Return how much CPU work a start is worth: so much that three at once take as long as they did here."""
    each = f"{{image: i, x-vsim: {startup(measured.run_s, 0)}}}"
    text = f"services: {{a: {each}, b: {each}, c: {each}}}"
    scenario, _ = read(text, folder, "three")
    low, high = 0.0, measured.start_s
    for _ in range(20):
        middle = (low + high) / 2
        found = simulated(measured, middle, scenario, {})
        # three are created at the same time in the model, before anything is started
        begin = max(span.end_s for row in found.up for span in row.spans if span.phase == "create")
        assert found.started_s is not None
        low, high = (middle, high) if found.started_s - begin < measured.three_s else (low, middle)
    return (low + high) / 2


def startup(cpu_s: float, wait_s: float) -> str:
    return f"{{startup: {{cpu: {cpu_s:.6f}, wait: {wait_s}}}}}"


def read(text: str, folder: Path, name: str) -> tuple[Scenario, Mapping[str, Launch]]:
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    application = load_application(file, profile=builtin())
    return application.scenario, application.launches


def application(
    name: str, image: str, run_s: float, folder: Path
) -> tuple[ComposeProject, Scenario, Mapping[str, Launch]]:
    text = APPLICATIONS[name] % {
        "image": image,
        "check": CHECK,
        "ready": f"x-vsim: {startup(run_s, READY_WAIT_S)}",
        "done": f"x-vsim: {startup(run_s, DONE_WAIT_S)}",
    }
    scenario, launches = read(text, folder, name)
    return load_project([folder / f"{name}.yaml"]), scenario, launches


# -- both --------------------------------------------------------------------------------------------------------------


def bring_up(containers: Containers, project: ComposeProject) -> dict[str, float]:
    """Do what `docker compose up` does; return when each service was healthy or done, in seconds from its begin."""
    services = project.services
    made: dict[str, str] = {}
    begin = time.time()
    tasks = {
        one.service
        for service in services.values()
        for one in service.depends_on
        if one.condition == "service_completed_successfully"
    }

    def create(service: ComposeService) -> None:
        check = service.healthcheck
        stated = None if check is None else as_docker_has_it(check.interval_s, check.timeout_s, check.retries)
        task = service.name in tasks
        wait_s = DONE_WAIT_S if task else READY_WAIT_S
        made[service.name] = containers.create(wait_s, task=task, healthcheck=stated)

    def start(service: ComposeService) -> None:
        waits = [
            partial(wait_for, containers, made[one.service], one.condition)
            for one in service.depends_on
            if one.condition != "service_started"
        ]
        at_once(waits)
        containers.engine.start(made[service.name])

    in_order(services, create)
    in_order(services, start)
    return {name: containers.settled(identity) - begin for name, identity in made.items()}


def in_order(services: Mapping[str, ComposeService], visit: Callable[[ComposeService], None]) -> None:
    """Visit services, each as soon as those that it depends on were visited."""
    visited = {name: threading.Event() for name in services}
    errors: list[BaseException] = []

    def one(service: ComposeService) -> None:
        try:
            for dependency in service.depends_on:
                assert visited[dependency.service].wait(60)
            visit(service)
            visited[service.name].set()
        except BaseException as error:
            errors.append(error)

    at_once([partial(one, service) for service in services.values()])
    if errors:
        raise errors[0]


def wait_for(containers: Containers, made: str, condition: str) -> None:
    """Look at a container twice a second until it is healthy, or done: the ticker of Docker Compose."""
    begin = time.monotonic()
    for turn in range(120):
        time.sleep(max(0.0, begin + (turn + 1) * POLL_S - time.monotonic()))
        state = containers.state(made)
        if condition == "service_healthy" and state["Health"]["Status"] == "healthy":
            return
        if condition == "service_completed_successfully" and state["Status"] == "exited":
            assert state["ExitCode"] == 0
            return
    raise AssertionError(f"never {condition}: {state}")


@pytest.fixture(scope="module")
def measurements() -> list[tuple[float, Measured]]:
    """What was measured on this host so far, and when."""
    return []


def latest(measurements: list[tuple[float, Measured]], engine: Any, image: str) -> Measured:
    """Return what one container takes at this moment: what was measured just now, if it was."""
    if not measurements or time.monotonic() - measurements[-1][0] > FRESH_S:
        measured = measure(engine, image)
        measurements.append((time.monotonic(), measured))
    return measurements[-1][1]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An application brought up once in both worlds: seconds until all is healthy, and the error of each service."""

    real_s: float
    simulated_s: float
    each: Mapping[str, float]
    measured: Measured

    @property
    def error(self) -> float:
        return self.simulated_s / self.real_s - 1


@pytest.mark.parametrize("name", list(APPLICATIONS))
def test_time_until_healthy(
    name: str,
    engine: Any,
    image: str,
    measurements: list[tuple[float, Measured]],
    tmp_path: Path,
    record_property: Any,
) -> None:
    attempts: list[Attempt] = []
    for _ in range(ATTEMPTS):
        before = latest(measurements, engine, image)
        project, *_ = application(name, image, before.run_s, tmp_path)
        with Containers(engine, image) as containers:
            ends = bring_up(containers, project)
        after = measure(engine, image)
        measurements.append((time.monotonic(), after))
        measured = before.mean_with(after)
        _, scenario, launches = application(name, image, measured.run_s, tmp_path)
        launches = without_start_interval(launches, engine)
        timeline = simulated(measured, effective_work_s(measured, tmp_path), scenario, launches)
        assert timeline.up_s is not None
        assert set(ends) == {row.service for row in timeline.up}
        each = {row.service: round((row.end_s or 0.0) / ends[row.service] - 1, 3) for row in timeline.up}
        attempts.append(Attempt(max(ends.values()), timeline.up_s, each, measured))
        error = statistics.median(attempt.error for attempt in attempts)
        if abs(error) <= TOLERANCE:
            break
    told = [f"measured {one.real_s:.2f} s, simulated {one.simulated_s:.2f} s" for one in attempts]
    record_property(name, "; ".join(told))
    assert abs(error) <= TOLERANCE, (told, attempts)


def without_start_interval(launches: Mapping[str, Launch], engine: Any) -> Mapping[str, Launch]:
    """Return `launches` as this engine takes them: before version 25 it knew no interval for the start period."""
    if int(engine.version()["Version"].partition(".")[0]) >= 25:
        return launches
    return {
        name: launch
        if launch.check is None
        else dataclasses.replace(launch, check=dataclasses.replace(launch.check, start_interval_s=None))
        for name, launch in launches.items()
    }
