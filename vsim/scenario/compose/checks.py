"""What the schema can't see: names that refer to nothing, circles, two services behind one port of the host."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from vsim.errors import InputError, Place
from vsim.scenario.compose.mounts import read_mount
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import ComposeService, Port
from vsim.scenario.validation import did_you_mean, listed, shown

__all__ = ["check_circles", "check_ports", "check_service", "check_targets"]


def check_service(
    service: ComposeService, part: Part, sections: Mapping[str, Mapping[str, Part]], names: Mapping[str, bool]
) -> None:
    """Raise InputError for what one service states and refers to.

    `sections` are the project's networks, volumes, secrets and configs; `names` all services, and whether their
    profiles are active.
    """
    if service.image is None and service.build is None and part.get("provider") is None:
        raise part.error(
            f"the service {service.name!r} has neither `image` nor `build`", "add `image:` or `build:`", key=True
        )
    _check_build(service, part)
    if service.replicas > 1 and service.container_name is not None:
        raise part.mapping["container_name"].error(
            f"{service.replicas} replicas can't all have this name", "remove `container_name`"
        )
    _check_references(part, sections)
    for dependency in service.depends_on:
        active = names.get(dependency.service)
        if active is None:
            raise InputError(
                f"{service.name!r} depends on the unknown service {shown(dependency.service)}",
                place=dependency.place,
                hint=did_you_mean(dependency.service, names) or f"the services are {listed(names, 'and')}",
            )
        if not active and dependency.required:
            raise InputError(
                f"{service.name!r} depends on {dependency.service!r}, whose profile isn't active",
                place=dependency.place,
                hint="make it active with --compose-profile, or add `required: false`",
            )


def _check_build(service: ComposeService, part: Part) -> None:
    build = part.get("build")
    if build is None or service.build is None:
        return
    if build.get("dockerfile") is not None and build.get("dockerfile_inline") is not None:
        raise build.mapping["dockerfile_inline"].error(
            "`dockerfile` and `dockerfile_inline` exclude each other", "remove one of them", key=True
        )
    platforms = service.build.platforms
    if platforms and service.platform and service.platform not in platforms:
        raise part.mapping["platform"].error(
            f"the service's platform {service.platform} is not one that is built",
            f"add it to {listed(platforms, 'and')}",
        )


def _check_references(part: Part, sections: Mapping[str, Mapping[str, Part]]) -> None:
    for name, child in (part.get("networks") or part.like({})).mapping.items():
        _known("network", name, sections["networks"], child, key=True)
    for entry in (part.get("volumes") or part.like([])).entries:
        mount = read_mount(entry)
        if mount.kind == "volume" and mount.source is not None:
            _known("volume", mount.source, sections["volumes"], entry)
    for section, what in (("secrets", "secret"), ("configs", "config")):
        for entry in (part.get(section) or part.like([])).entries:
            source = entry.get("source") if isinstance(entry.value, dict) else entry
            if source is not None:
                _known(what, str(source.value), sections[section], source)


def _known(what: str, name: str, known: Mapping[str, Part], part: Part, *, key: bool = False) -> None:
    if name in known:
        return
    section = f"{what}s"
    hint = did_you_mean(name, [one for one in known if one != "default"]) or f"add `{name}:` under `{section}:`"
    raise part.error(f"the {what} {shown(name)} is not defined at the top level under `{section}`", hint, key=key)


def check_targets(service: ComposeService) -> None:
    """Raise InputError when two mounts of a service have one target."""
    seen: set[str] = set()
    for mount in service.mounts:
        if mount.target in seen:
            raise InputError(
                f"{service.name!r} mounts two things at {shown(mount.target)}", place=mount.place, hint="remove one"
            )
        seen.add(mount.target)


def check_circles(services: Mapping[str, ComposeService]) -> None:
    """Raise InputError when services depend on each other in a circle."""
    done: set[str] = set()
    for start in services:
        # depth first, without recursion: a chain may be as long as the file
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        on_path: set[str] = set()
        while stack:
            name, step = stack.pop()
            if step == 0:
                if name in done:
                    continue
                path.append(name)
                on_path.add(name)
            dependencies = [d for d in services[name].depends_on if d.service in services]
            if step == len(dependencies):
                done.add(name)
                on_path.discard(path.pop())
                continue
            stack.append((name, step + 1))
            following = dependencies[step]
            if following.service in on_path:
                circle = [*path[path.index(following.service) :], following.service]
                raise InputError(
                    f"services depend on each other in a circle: {' → '.join(circle)}",
                    place=following.place,
                    hint="remove one of these dependencies",
                )
            stack.append((following.service, 0))


def check_ports(services: Mapping[str, ComposeService]) -> None:
    """Raise InputError when two services publish one port of the host: the second one would not start.

    `docker compose config` doesn't look at this, `docker compose up` fails for it.
    """
    taken: dict[tuple[int, str], list[tuple[str, Port]]] = {}
    for service in services.values():
        if service.replicas == 0:
            continue
        for port in service.ports:
            if port.published is None or port.published_last is not None:
                continue
            others = taken.setdefault((port.published, port.protocol), [])
            for name, other in others:
                if _same_address(port.host_ip, other.host_ip):
                    raise InputError(
                        f"{service.name!r} publishes port {port.published}/{port.protocol} of the host, which "
                        f"{name!r} has already{_line(other.place)}",
                        place=port.place,
                        hint=f'publish it elsewhere, for example "{_free(port.published, taken)}:{port.target}"',
                    )
            others.append((service.name, port))


def _line(place: Place | None) -> str:
    return f" (line {place.line})" if place is not None else ""


def _same_address(one: str | None, other: str | None) -> bool:
    everywhere = (None, "0.0.0.0", "::")
    return one in everywhere or other in everywhere or one == other


def _free(port: int, taken: Mapping[tuple[int, str], object]) -> int:
    used = {number for number, _ in taken}
    return next(
        (number for number in itertools.chain(range(port + 1, 65536), range(1024, port)) if number not in used), port
    )
