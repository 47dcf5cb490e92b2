"""The tree of a compose file to typed services, networks and volumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsim.scenario.compose.mounts import read_device, read_mount
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.ports import read_ports
from vsim.scenario.compose.project import (
    Build,
    ComposeService,
    Condition,
    Dependency,
    Healthcheck,
    Network,
    Resources,
    Volume,
)
from vsim.scenario.compose.units import boolean, duration_s, number, size_bytes, text_of, whole

__all__ = ["read_network", "read_service", "read_volume"]

MOST_REPLICAS = 10_000
# Docker's scheduler shares CPU time in periods of 100 ms unless told otherwise.
_PERIOD_US = 100_000.0


def read_service(name: str, part: Part) -> ComposeService:
    """Return the service that `part` describes. Raises InputError, with its place, for a value that can't be used."""
    return ComposeService(
        name=name,
        image=text_of(part.get("image")) or None,
        build=_build(part.get("build")),
        replicas=_replicas(part),
        ports=tuple(port for entry in _entries(part, "ports") for port in read_ports(entry)),
        expose=tuple(str(entry.value) for entry in _entries(part, "expose")),
        mounts=tuple(read_mount(entry) for entry in _entries(part, "volumes")),
        depends_on=tuple(_dependencies(part)),
        healthcheck=_healthcheck(part.get("healthcheck")),
        networks=_networks(part),
        network_mode=text_of(part.get("network_mode")),
        devices=tuple(read_device(entry) for entry in _entries(part, "devices")),
        privileged=boolean(part.get("privileged")),
        resources=_resources(part),
        restart=text_of(part.get("restart")),
        platform=text_of(part.get("platform")),
        container_name=text_of(part.get("container_name")),
        profiles=tuple(str(entry.value) for entry in _entries(part, "profiles")),
        annotation=part.get("x-vsim"),
        place=part.place(key=True),
        parts=part.mapping,
    )


def read_network(name: str, part: Part) -> Network:
    """Return the network that `part` describes."""
    return Network(name, text_of(part.get("driver")), _external(part), boolean(part.get("internal")))


def read_volume(name: str, part: Part) -> Volume:
    """Return the volume that `part` describes."""
    return Volume(name, text_of(part.get("driver")), _external(part))


def _external(part: Part) -> bool:
    external = part.get("external")
    return external is not None and (isinstance(external.value, dict) or boolean(external))


def _entries(part: Part, key: str) -> list[Part]:
    found = part.get(key)
    return found.entries if found is not None else []


def _build(part: Part | None) -> Build | None:
    if part is None or part.value is None:
        return None
    return Build(
        context=text_of(part.get("context")) or ".",
        dockerfile=text_of(part.get("dockerfile")),
        target=text_of(part.get("target")),
        platforms=tuple(str(entry.value) for entry in _entries(part, "platforms")),
    )


def _replicas(part: Part) -> int:
    scale = part.get("scale")
    replicas = part.at(["deploy", "replicas"]) if _has(part, "deploy", "replicas") else None
    both = [whole(one, 0, MOST_REPLICAS) for one in (scale, replicas) if one is not None]
    if scale is not None and len(set(both)) == 2:
        raise scale.error("`scale` and `deploy.replicas` differ", "state one of them")
    stated = scale if scale is not None else replicas
    return 1 if stated is None or stated.value is None else whole(stated, 0, MOST_REPLICAS)


def _has(part: Part, *path: str) -> bool:
    for step in path:
        child = part.get(step)
        if child is None:
            return False
        part = child
    return True


def _dependencies(part: Part) -> Iterator[Dependency]:
    """Yield what is stated under `depends_on`, and what follows from using another service's parts."""
    stated = part.get("depends_on")
    names = stated.mapping if stated is not None else {}
    for name, child in names.items():
        condition: Condition = text_of(child.get("condition")) or "service_started"  # type: ignore[assignment]  # the schema's
        required = boolean(child.get("required"), True)
        yield Dependency(name, condition, required, boolean(child.get("restart")), child.place(key=True))
    seen = set(names)
    for name, child in _implied(part):
        if name not in seen:
            seen.add(name)
            yield Dependency(name, place=child.place())


def _implied(part: Part) -> Iterator[tuple[str, Part]]:
    for entry in _entries(part, "links"):
        yield str(entry.value).partition(":")[0], entry
    for entry in _entries(part, "volumes_from"):
        name = str(entry.value)
        if not name.startswith("container:"):
            yield name.partition(":")[0], entry
    for key in ("network_mode", "ipc", "pid"):
        child = part.get(key)
        value = text_of(child)
        if child is not None and value is not None and value.startswith("service:"):
            yield value.removeprefix("service:"), child


def _healthcheck(part: Part | None) -> Healthcheck | None:
    if part is None or part.value is None:
        return None
    test = part.get("test")
    words: tuple[str, ...] = ()
    if test is not None:
        words = tuple(str(entry.value) for entry in test.entries) or (("CMD-SHELL", str(test.value)))
        if isinstance(test.value, list) and (not test.value or words[0] not in ("CMD", "CMD-SHELL", "NONE")):
            raise test.error(
                "the test of a healthcheck begins with CMD, CMD-SHELL or NONE", 'write ["CMD", "program", "argument"]'
            )
    given: dict[str, float] = {}
    for key in ("interval", "timeout", "start_period", "start_interval"):
        child = part.get(key)
        if child is not None and child.value is not None:
            given[f"{key}_s"] = duration_s(child)
    retries = part.get("retries")
    many = 3 if retries is None or retries.value is None else round(number(retries)) or 3
    # Docker takes an interval of 0 for the default
    for key in ("interval_s", "timeout_s", "start_interval_s"):
        if given.get(key) == 0:
            del given[key]
    disabled = boolean(part.get("disable")) or words[:1] == ("NONE",)
    return Healthcheck(words, retries=many, disabled=disabled, **given)


def _networks(part: Part) -> tuple[str, ...]:
    stated = part.get("networks")
    mode = part.get("network_mode")
    if mode is not None and mode.value is not None:
        if stated is not None and stated.mapping:
            raise mode.error("`network_mode` and `networks` exclude each other", "remove one of them", key=True)
        return ()
    return tuple(stated.mapping) if stated is not None and stated.mapping else ("default",)


def _resources(part: Part) -> Resources:
    deploy = part.get("deploy")
    resources = deploy.get("resources") if deploy is not None else None
    limits = resources.get("limits") if resources is not None else None
    reserved = resources.get("reservations") if resources is not None else None
    cpus = _agreed(part, "cpus", limits, "limits.cpus", "cpus", number)
    quota = part.get("cpu_quota")
    if not cpus and quota is not None and number(quota, 1e15) > 0:
        period = part.get("cpu_period")
        cpus = number(quota, 1e15) / ((number(period, 1e15) if period is not None else 0) or _PERIOD_US)
    if not cpus and part.get("cpu_count") is not None:
        cpus = float(whole(part.mapping["cpu_count"], 0, 100_000))
    gpus = part.get("gpus") is not None or _has(part, "deploy", "resources", "reservations", "devices")
    wanted = reserved.get("cpus") if reserved is not None else None
    return Resources(
        cpu_limit_cores=cpus or None,
        memory_limit_bytes=_agreed(part, "mem_limit", limits, "limits.memory", "memory", size_bytes) or None,
        cpu_reserved_cores=None if wanted is None else number(wanted) or None,
        memory_reserved_bytes=(
            _agreed(part, "mem_reservation", reserved, "reservations.memory", "memory", size_bytes) or None
        ),
        gpus=gpus,
    )


def _agreed(
    part: Part, key: str, deployed: Part | None, path: str, below: str, read: Callable[[Part], float]
) -> float | None:
    """Return what `key` and its counterpart under `deploy.resources` state, which must be the same."""
    mine = part.get(key)
    theirs = deployed.get(below) if deployed is not None else None
    values = [float(read(one)) for one in (mine, theirs) if one is not None and one.value is not None]
    if len(values) == 2 and values[0] != values[1] and values[0] != 0:
        assert mine is not None
        raise mine.error(f"`{key}` and `deploy.resources.{path}` differ", "state one of them")
    return max(values, default=None)
