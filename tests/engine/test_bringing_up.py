"""Bringing an application up and taking it down, against times worked out by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from tests.engine.toys import GIB, architecture, layer, q, scenario, service, toy_machine
from vsim.engine.bringing_up import simulate_bringing_up
from vsim.engine.pulling import Pulling
from vsim.engine.timeline import Row, Timeline
from vsim.errors import InputError
from vsim.model.image import Image as PulledImage
from vsim.model.image import ImageLayer, Puller, Registry
from vsim.model.layer import Stage
from vsim.model.orchestration import Condition, HealthCheck, Launch, Orchestrator, Prerequisite, Supervision
from vsim.model.stack import Architecture
from vsim.model.workload import Image, Service
from vsim.scenario.scenario import Fleet, Scenario, Start

# looks every half second, and applications take a second to end
COMPOSE = Orchestrator("compose", "Compose", poll_s=q(0.5), stop_s=q(1))
# a container is created in 0.1 s and started in 0.2 s, all of it waiting: no start is in the way of another one
ENGINE = layer("engine", startup=(Stage("create", wait_s=q(0.1)), Stage("start", wait_s=q(0.2))))
# running a command in one takes 0.05 s, stopping it 0.02 s, removing it 0.03 s
SUPERVISION = {
    "engine": Supervision(
        "engine",
        "An engine",
        probe=(Stage("exec", wait_s=q(0.05)),),
        stop=(Stage("signal", wait_s=q(0.02)),),
        remove=(Stage("remove", wait_s=q(0.03)),),
    )
}
CHECK = HealthCheck(interval_s=1.0, timeout_s=5.0, retries=3)


def after(name: str, condition: Condition = "service_started", *, required: bool = True) -> Prerequisite:
    return Prerequisite(name, condition, required)


def run(
    services: Mapping[str, float] | list[Service],
    *launches: Launch,
    stack: Architecture | None = None,
    supervision: Mapping[str, Supervision] = SUPERVISION,
    given: Scenario | None = None,
) -> Timeline:
    """Bring services up whose applications take so many seconds, all of it waiting, until they are ready."""
    if isinstance(services, Mapping):
        services = [service(name, startup_wait_s=seconds, image=Image("i", 0.0)) for name, seconds in services.items()]
    read = scenario(*services) if given is None else given
    known = {launch.service: launch for launch in launches}
    return simulate_bringing_up(stack or architecture(ENGINE), read, known, supervision, COMPOSE)


def rows(timeline: Timeline) -> dict[str, Row]:
    return {row.service: row for row in timeline.up}


def phases(row: Row) -> list[tuple[str, float, float]]:
    return [(span.phase, round(span.begin_s, 9), round(span.end_s, 9)) for span in row.spans]


def test_services_that_wait_for_nothing_start_at_once() -> None:
    found = run({"a": 1.0, "b": 2.0})
    # created at 0.1 and started at 0.3, both of them
    assert phases(rows(found)["a"]) == [("create", 0, 0.1), ("start", 0.1, 0.3), ("application", 0.3, 1.3)]
    assert rows(found)["b"].end_s == pytest.approx(2.3)
    assert found.started_s == pytest.approx(0.3)
    assert found.up_s == pytest.approx(2.3)
    assert found.failure is None
    assert {row.outcome for row in found.up} == {"ready"}


def test_one_that_is_started_is_enough() -> None:
    found = run({"db": 5.0, "web": 1.0}, Launch("web", (after("db"),)))
    # all is created before anything is started, one after the other: db until 0.1, web until 0.2
    # db starts until 0.4, web right after it until 0.6: it doesn't wait for db to be ready
    web = rows(found)["web"]
    assert phases(web) == [
        ("wait", 0, 0.1),
        ("create", 0.1, 0.2),
        ("wait", 0.2, 0.4),
        ("start", 0.4, 0.6),
        ("application", 0.6, 1.6),
    ]
    assert found.up_s == pytest.approx(0.4 + 5.0)


def test_one_that_has_to_be_healthy_is_waited_for() -> None:
    found = run({"db": 1.5, "web": 1.0}, Launch("db", check=CHECK), Launch("web", (after("db", "service_healthy"),)))
    # db is started at 0.4 and ready at 1.9; it is checked from 1.4 to 1.45, in vain, and from 2.45 to 2.5
    db = rows(found)["db"]
    assert db.started_s == pytest.approx(0.4)
    assert db.ready_s == pytest.approx(1.9)
    assert db.end_s == pytest.approx(2.5)
    assert (db.outcome, phases(db)[-1]) == ("healthy", ("check", 1.9, 2.5))
    # from 0.4 on web looks at it every half second: at 2.4 in vain, at 2.9; started at 3.1, ready at 4.1
    web = rows(found)["web"]
    assert web.started_s == pytest.approx(3.1)
    assert web.end_s == pytest.approx(4.1)
    assert found.up_s == pytest.approx(4.1)
    assert found.started_s == pytest.approx(3.1)


def test_a_task_is_waited_for_until_it_is_done() -> None:
    found = run(
        {"migrate": 1.9, "web": 1.0},
        Launch("migrate", ends=True),
        Launch("web", (after("migrate", "service_completed_successfully"),)),
    )
    # started at 0.4 and done at 2.3; web looks at 0.9, 1.4, 1.9 and 2.4, and takes 0.2 s to start
    assert rows(found)["migrate"].outcome == "done"
    assert rows(found)["migrate"].end_s == pytest.approx(2.3)
    assert rows(found)["web"].started_s == pytest.approx(2.6)
    assert found.up_s == pytest.approx(3.6)


@pytest.mark.parametrize(
    ("check", "healthy_s"),
    [
        # the application is ready at 2.3, started at 0.3; each check takes 0.05 s, then the interval begins
        (CHECK, 2.4),  # 1.3–1.35, 2.35–2.4: ready by then
        (dataclasses.replace(CHECK, interval_s=2.5), 2.85),
        (dataclasses.replace(CHECK, interval_s=30.0), 30.35),
        # in the start period every 0.4 s: 0.7, 1.15, 1.6, 2.05, 2.5
        (dataclasses.replace(CHECK, interval_s=30.0, start_period_s=5.0, start_interval_s=0.4), 2.55),
        # the start period ends at 1.3: 0.7, 1.15 and, as the wait for it began at 1.2, 1.6; after that it is 30 s
        (dataclasses.replace(CHECK, interval_s=30.0, start_period_s=1.0, start_interval_s=0.4), 31.7),
        # an engine that knows no start interval
        (dataclasses.replace(CHECK, interval_s=3.0, start_period_s=5.0), 3.35),
        # the command itself takes 0.5 s
        (dataclasses.replace(CHECK, interval_s=3.0, wait_s=0.5), 3.85),
        (dataclasses.replace(CHECK, interval_s=3.0, cpu_core_s=0.5), 3.85),
    ],
)
def test_when_it_is_found_healthy(check: HealthCheck, healthy_s: float) -> None:
    found = run({"db": 2.0}, Launch("db", check=check))
    assert rows(found)["db"].end_s == pytest.approx(healthy_s)
    assert found.up_s == pytest.approx(healthy_s)


def test_what_fails_too_often_is_unhealthy_and_the_rest_is_given_up() -> None:
    slow = dataclasses.replace(CHECK, retries=2)
    found = run(
        {"db": 10.0, "web": 1.0, "late": 1.0},
        Launch("db", check=slow),
        Launch("web", (after("db", "service_healthy"),)),
        Launch("late", (after("web"),)),
    )
    # db is started at 0.5 and checked at 1.5 and 2.55 in vain: unhealthy at 2.6; healthy all the same later, when
    # nobody waits for it any more
    assert found.failure == "web is not started: db is unhealthy"
    assert found.up_s is None
    assert found.started_s is None
    assert rows(found)["web"].outcome == rows(found)["late"].outcome == "not started"
    assert rows(found)["web"].started_s is None
    assert rows(found)["db"].outcome == "healthy"


def test_the_start_period_forgives() -> None:
    patient = dataclasses.replace(CHECK, retries=2, start_period_s=10.0)
    found = run({"db": 9.0, "web": 1.0}, Launch("db", check=patient), Launch("web", (after("db", "service_healthy"),)))
    assert found.failure is None
    assert rows(found)["db"].outcome == "healthy"


def test_one_that_is_not_required_may_fail() -> None:
    found = run(
        {"cache": 60.0, "web": 1.0},
        Launch("cache", check=dataclasses.replace(CHECK, retries=1)),
        Launch("web", (after("cache", "service_healthy", required=False),)),
    )
    # unhealthy at 0.4 + 1.05, seen at 1.9
    assert rows(found)["web"].started_s == pytest.approx(2.1)
    assert found.failure is None


def test_a_check_that_takes_too_long_fails() -> None:
    slow = HealthCheck(interval_s=1.0, timeout_s=0.5, retries=2, wait_s=0.6)
    found = run({"db": 0.0}, Launch("db", check=slow))
    # from 1.3 and 2.85 on, each 0.05 s and then the 0.5 s that it is given
    (row,) = found.up
    assert row.outcome == "unhealthy"
    assert row.end_s == pytest.approx(3.4)
    assert found.failure == "db is unhealthy"


def test_one_that_never_gets_healthy_is_refused() -> None:
    patient = dataclasses.replace(CHECK, interval_s=0.1, start_period_s=1e7)
    with pytest.raises(InputError, match=r"health of 'db' would be checked more than 10,000 times in vain") as caught:
        run({"db": 1e6}, Launch("db", check=patient))
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    ("condition", "launch", "why"),
    [
        ("service_healthy", Launch("db"), "db has no healthcheck"),
        ("service_healthy", Launch("db", check=CHECK, ends=True), "db has exited"),
        ("service_completed_successfully", Launch("db"), "db never ends"),
    ],
)
def test_what_never_comes_is_not_waited_for(condition: Condition, launch: Launch, why: str) -> None:
    found = run({"db": 0.1, "web": 1.0}, launch, Launch("web", (after("db", condition),)))
    assert found.failure == f"web is not started: {why}"


def test_what_is_not_there_is_not_waited_for() -> None:
    found = run({"web": 1.0}, Launch("web", (after("gone", "service_healthy"),)))
    assert found.up_s == pytest.approx(1.3)


def test_starts_contend_for_the_machine() -> None:
    # four cores; eight starts of one core-second each at the same time take two seconds, then eight applications two
    # more
    busy = architecture(layer("engine", startup=(Stage("start", cpu_core_s=q(1)),)))
    services = [service(f"s{i}", memory_bytes=GIB / 8, startup_core_s=1.0) for i in range(8)]
    found = run(services, stack=busy, supervision={})
    assert found.started_s == pytest.approx(2.0)
    assert found.up_s == pytest.approx(4.0)


def test_instances_of_a_service_are_created_at_once_and_started_one_after_another() -> None:
    found = run([service("web", replicas=3, memory_bytes=GIB, startup_wait_s=1.0)])
    assert [row.started_s for row in found.up] == [pytest.approx(t) for t in (0.3, 0.5, 0.7)]
    assert found.up_s == pytest.approx(1.7)


def test_all_is_fetched_before_anything_is_created() -> None:
    pulling = layer("engine", startup=(Stage("pull", per="image", image_pull=q(1)), Stage("create", wait_s=q(0.1))))
    # 1 GB/s: one image takes a second and the other three, with half of the link for each as long as both are under way
    sizes = {"a": 1e9, "b": 3e9}
    services = [service(name, image=Image(of, sizes[of])) for name, of in (("a", "a"), ("b", "b"), ("c", "a"))]
    cold = scenario(*services, start=Start(images="cold"))
    found = run([], stack=architecture(pulling), given=cold)
    assert {row.service: phases(row)[0] for row in found.up} == {
        "a": ("pull", 0, 2.0),
        "b": ("pull", 0, 4.0),
        "c": ("pull", 0, 2.0),
    }
    assert phases(rows(found)["a"])[1:] == [("wait", 2.0, 4.0), ("create", 4.0, 4.1)]
    warm = run([], stack=architecture(pulling), given=scenario(*services))
    assert warm.up_s == pytest.approx(0.1)


def guests() -> Architecture:
    """A hypervisor whose guests take 10 s of waiting to boot, and hold two instances."""
    return architecture(
        layer("hypervisor", opens_guest=True, startup=(Stage("boot", per="environment", wait_s=q(60)),)),
        layer("guest-os", startup=(Stage("boot", per="environment", wait_s=q(10)),)),
        ENGINE,
        guest_size=2,
    )


def test_machines_and_guests_boot_before_anything_is_created() -> None:
    read = scenario(
        *(service(name, startup_wait_s=1.0) for name in ("a", "b", "c")), start=Start(hosts_up="none"), fleet=Fleet()
    )
    found = run([], Launch("c", (after("a"),)), stack=guests(), given=read)
    assert phases(rows(found)["a"]) == [
        ("boot", 0, 60),
        ("guest", 60, 70),
        ("create", 70, 70.1),
        ("wait", 70.1, 70.2),
        ("start", 70.2, 70.4),
        ("application", 70.4, 71.4),
    ]
    assert found.up_s == pytest.approx(71.6)


# -- down --------------------------------------------------------------------------------------------------------------


def test_down_goes_the_other_way_round() -> None:
    found = run(
        {"db": 1.0, "web": 1.0},
        Launch("db", stop_s=3.0, stop_grace_s=10.0),
        Launch("web", (after("db"),), stop_grace_s=10.0),
    )
    down = {row.service: row for row in found.down}
    # web ends within a second, as applications do, and is stopped and removed by 1.05; then db, which takes 3 s
    assert phases(down["web"]) == [("stop", 0, 1.02), ("remove", 1.02, 1.05)]
    assert phases(down["db"]) == [("wait", 0, 1.05), ("stop", 1.05, 4.07), ("remove", 4.07, 4.1)]
    assert found.down_s == pytest.approx(4.1)


@pytest.mark.parametrize(("stop_s", "grace_s", "down_s"), [(None, 10.0, 1.05), (60.0, 10.0, 10.05), (None, 0.5, 0.55)])
def test_what_does_not_end_is_killed(stop_s: float | None, grace_s: float, down_s: float) -> None:
    found = run({"db": 1.0}, Launch("db", stop_s=stop_s, stop_grace_s=grace_s))
    assert found.down_s == pytest.approx(down_s)


def test_what_is_done_is_removed_only() -> None:
    found = run({"task": 1.0}, Launch("task", ends=True, stop_grace_s=10.0))
    assert phases(found.down[0]) == [("remove", 0, 0.03)]


def test_a_guest_is_shut_down_after_the_last_one_in_it() -> None:
    supervision = {
        **SUPERVISION,
        "guest-os": Supervision("guest-os", "", stop=(Stage("shutdown", per="environment", wait_s=q(2)),)),
        "hypervisor": Supervision("hypervisor", "", remove=(Stage("destroy", wait_s=q(0.5)),)),
    }
    read = scenario(*(service(name) for name in ("a", "b")))
    found = run(
        [],
        Launch("a", stop_grace_s=10.0),
        Launch("b", (after("a"),), stop_grace_s=10.0),
        stack=guests(),
        supervision=supervision,
        given=read,
    )
    down = {row.service: row for row in found.down}
    # b is gone at 1.05, a at 2.1, and their guest 2.5 s later
    assert phases(down["b"])[-1] == ("remove", 1.02, 1.05)
    assert phases(down["a"])[-1] == ("shut down", 2.1, 4.6)
    assert found.down_s == pytest.approx(4.6)


# -- laws --------------------------------------------------------------------------------------------------------------


def test_one_seed_makes_one_timeline_and_replications_differ() -> None:
    noisy = architecture(layer("engine", startup=(Stage("start", cpu_core_s=q(1, cv=0.5)),)))
    read = scenario(service("a"), service("b"))

    def one(replication: int) -> Timeline:
        return simulate_bringing_up(noisy, read, {}, {}, COMPOSE, replication)

    assert one(0) == one(0)
    assert one(0).up_s != one(1).up_s


def test_the_parts_of_a_way_follow_one_another() -> None:
    found = run(
        {"db": 1.5, "web": 1.0, "task": 0.7},
        Launch("db", check=CHECK),
        Launch("task", (after("db", "service_healthy"),), ends=True),
        Launch("web", (after("task", "service_completed_successfully"),), check=CHECK),
    )
    for row in (*found.up, *found.down):
        ends = [0.0, *(span.end_s for span in row.spans)]
        assert [span.begin_s for span in row.spans] == pytest.approx(ends[:-1])
        assert row.end_s == pytest.approx(ends[-1])
    assert found.up_s == max(row.end_s or 0.0 for row in found.up)


def test_an_application_without_a_place_is_refused() -> None:
    small = scenario(service("a", memory_bytes=5 * GIB), service("b", memory_bytes=5 * GIB), fleet=Fleet(hosts=1))
    with pytest.raises(InputError, match="no place on toy@box for 1 of the instances"):
        run([], given=small)


def test_one_that_is_refused_memory_fails() -> None:
    tight = dataclasses.replace(toy_machine(), memory_bytes=q(8 * GIB))
    read = scenario(
        *(service(name, memory_bytes=5 * GIB) for name in ("a", "b")), fleet=Fleet(hosts=1, memory_overcommit=2.0)
    )
    found = run([], stack=architecture(ENGINE, machine=tight), given=read)
    assert found.failure == "b is refused"
    assert [row.outcome for row in found.up] == ["ready", "refused"]


def test_an_image_is_built_once_on_a_machine_in_place_of_being_fetched() -> None:
    pulling = layer("engine", startup=(Stage("pull", per="image", image_pull=q(1)), Stage("create", wait_s=q(0.1))))
    services = [service(name, image=Image("app", 1e12)) for name in ("a", "b")]
    launches = (Launch("a", build_s=7.0), Launch("b", build_s=7.0))
    for images in ("cold", "warm"):
        given = scenario(*services, start=Start(images=images))
        found = run([], *launches, stack=architecture(pulling), given=given)
        assert {row.service: phases(row) for row in found.up} == {
            name: [("build", 0, 7.0), ("create", 7.0, 7.1)] for name in ("a", "b")
        }


def test_images_whose_layers_are_known_are_pulled_layer_by_layer() -> None:
    """One registry of 1 MB/s, whose images have a layer of 3 MB in common: it comes once."""
    free = {name: q(0.0) for name in Puller.__dataclass_fields__ if name not in ("name", "title")}
    puller = Puller("p", "", **(free | {"downloads": q(3), "bytes_per_file": q(1), "write_back_fraction": q(1)}))
    common = ImageLayer("common", 3_000_000, 3_000_000)
    images = {
        name: PulledImage(name, (common, ImageLayer(name, size, size)))
        for name, size in (("a", 1_000_000), ("b", 2_000_000))
    }
    pulling = Pulling(images, puller, Registry("r", "", q(1e6), q(0)))
    stack = architecture(
        layer(
            "engine",
            boundary="namespace",
            startup=(Stage("pull", per="image", image_pull=q(1)), Stage("create", wait_s=q(0.1))),
        )
    )
    read = scenario(
        service("one", image=Image("docker.io/library/a:latest", 1e12)),
        service("two", image=Image("b", 1e12)),
        # one that isn't known is fetched as a whole, over the machine's link of 1 GB/s
        service("three", image=Image("c", 1e9)),
        start=Start(images="cold"),
    )
    found = simulate_bringing_up(stack, read, {}, {}, COMPOSE, pulling=pulling)
    pulls = {row.service: row.spans[0].end_s for row in found.up}
    # three downloads share 1 MB/s; a's own megabyte is there at 3 s, b's two and the common three have 1 and 2 MB left
    # by then; b's are there at 5 s, the common ones at 6 s, and nothing can be unpacked before
    assert pulls == {"one": pytest.approx(6.0), "two": pytest.approx(6.0), "three": pytest.approx(1.0)}
    assert found.up_s == pytest.approx(6.1)
    # without a container engine nothing is known about layers
    bare = architecture(layer("process", startup=(Stage("fetch", per="image", image_pull=q(1)),)))
    whole = simulate_bringing_up(
        bare,
        scenario(service("x", image=Image("a", 2e9)), start=Start(images="cold")),
        {},
        {},
        COMPOSE,
        pulling=pulling,
    )
    assert whole.up_s == pytest.approx(2.0)
