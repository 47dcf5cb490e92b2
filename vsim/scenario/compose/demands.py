"""From a compose project to a scenario: what each service asks of the machines, and where that is known from.

Memory comes from the annotation; else from what is reserved, or the limit, with the catalogue saying how much of it is
touched; else from the catalogue of common images. The size of the image and the work until it is ready come from the
annotation or the catalogue, the CPU from the annotation or the file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from vsim.errors import InputError, Place
from vsim.model.catalogue import CataloguedImage
from vsim.model.workload import Image, Service
from vsim.scenario.building import build
from vsim.scenario.compose.annotation import (
    OF_ORCHESTRATION,
    AnnotatedDocument,
    check_annotations,
    trace_of,
    unreadable,
)
from vsim.scenario.compose.project import ComposeProject, ComposeService
from vsim.scenario.file import SCHEMA, ScenarioFile
from vsim.scenario.scenario import Catalogued, Connection, Scenario
from vsim.scenario.validation import listed, validate
from vsim.scenario.written import Written

__all__ = ["UNKNOWN", "image_named", "scenario_name", "scenario_of"]

# The entry of the catalogue for images that it doesn't know.
UNKNOWN = "application"

# Four eras of hardware; on bare metal each service has a machine to itself, as in the preset `evolution`.
_DEFAULTS: Mapping[str, Any] = {
    "architectures": ["bare-metal@tower-server", "bare-metal@blade", "vm@rack-server", "container@rack-server"],
    "fleet": {"isolation": "namespace"},
    # as `docker compose up` finds a machine that has never run it
    "start": {"hosts_up": "shared", "images": "cold"},
    "run": {"duration": 10.0, "warmup": 2.0, "replications": 10},
    "reliability": {"years": 3.0},
}


def image_named(image: str | None, catalogue: Mapping[str, CataloguedImage]) -> CataloguedImage:
    """Return what the catalogue knows about an image, by the last part of its name: `bitnami/redis:7` is redis."""
    name = "" if image is None else image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    if name in catalogue:
        return catalogue[name]
    return next((entry for entry in catalogue.values() if name in entry.also), catalogue[UNKNOWN])


def scenario_of(project: ComposeProject, catalogue: Mapping[str, CataloguedImage]) -> Scenario:
    """Return the scenario that `project` stands for.

    Raises InputError, with its place, for an annotation that can't be used, and when there is nothing to run.
    """
    check_annotations(project)
    services = {scenario_name(s.name): s for s in project.services.values() if s.replicas > 0}
    if not services:
        raise InputError(
            "no service has a replica", place=Place(project.files[0]), hint="state `deploy: {replicas: 1}`, or nothing"
        )
    demands = {name: _Demand(service, project, catalogue) for name, service in services.items()}
    annotation = project.annotation.plain() if project.annotation is not None else {}
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "title": f"{project.name}, from {Path(project.files[0]).name}",
        **_DEFAULTS,
    }
    for key, value in annotation.items():
        both = isinstance(value, dict) and isinstance(data.get(key), dict)
        data[key] = {**data[key], **value} if both else value
    if "incidents" in annotation and "reliability" not in annotation:
        del data["reliability"]
    data["services"] = {name: demand.data for name, demand in demands.items()}
    document = AnnotatedDocument(project, data, {name: service.name for name, service in services.items()})
    scenario = build(document, validate(document, ScenarioFile), project.name, Path(project.files[0]).parent)
    connections = tuple(_connections(services, project))
    built = _calling([_finished(service, demands[service.name]) for service in scenario.workload.services], connections)
    return dataclasses.replace(
        scenario,
        workload=dataclasses.replace(scenario.workload, services=tuple(built)),
        catalogued=tuple(
            Catalogued(name, field, quantity)
            for name, demand in demands.items()
            for field, quantity in demand.catalogued.items()
        ),
        notes=tuple(_notes(project, demands, built)),
        connections=connections,
        privileged=frozenset(name for name, service in services.items() if service.privileged),
        stateful=frozenset(name for name, demand in demands.items() if demand.keeps_data),
    )


def _calling(services: Sequence[Service], connections: Sequence[Connection]) -> list[Service]:
    """Return the services with what they call: those that they depend on, and that state a request but no arrivals."""
    answering = {service.name for service in services if service.request is not None and service.arrivals is None}
    called: dict[str, list[str]] = {}
    for one in connections:
        if one.to in answering:
            called.setdefault(one.of, []).append(one.to)
    return [
        dataclasses.replace(service, calls=tuple(called.get(service.name, ()))) if service.request else service
        for service in services
    ]


def _finished(service: Service, demand: _Demand) -> Service:
    """Return the service with what a scenario file has no words for: an image's full name, and where a device is asked
    for."""
    asked = {Written(name, place) for name, place in requirements(demand.service).items()}
    image = Image(demand.image, service.image.bytes)
    return dataclasses.replace(service, image=image, requires=frozenset(asked | service.requires))


def scenario_name(name: str) -> str:
    """Return a service's name as a scenario takes it: not with `-` or `.` first, and of at most 100 characters."""
    return name[:100] if name[:1] not in "-." else f"_{name}"[:100]


class _Demand:
    """What one service asks for: the data of a scenario's service, and which of it the catalogue gives."""

    def __init__(
        self, service: ComposeService, project: ComposeProject, catalogue: Mapping[str, CataloguedImage]
    ) -> None:
        self.service = service
        self.known = image_named(service.image, catalogue)
        self.image = image_key(service)
        self.catalogued: dict[str, str] = {}
        annotated = service.annotation.plain() if service.annotation is not None else {}
        stated = {key: value for key, value in annotated.items() if key not in OF_ORCHESTRATION}
        trace = trace_of(service.annotation)
        if trace is not None:
            raise unreadable(trace)
        self.data: dict[str, Any] = {"replicas": service.replicas, **self._memory(stated), **self._cpu(stated)}
        if "image" not in stated:
            self.data["image"] = self._take("image.bytes", self.known.image_bytes)
        if "startup" not in stated:
            self.data["startup"] = {"cpu": self._take("startup_core_s", self.known.startup_core_s)}
            if self.known.startup_wait_s is not None:
                self.data["startup"]["wait"] = self._take("startup_wait_s", self.known.startup_wait_s)
        self.data |= {"disk_path": disk_path(service), "network_mode": network_mode(service, project)}
        self.data |= stated

    @property
    def keeps_data(self) -> bool:
        """Whether a replica has data that another one lacks: by what the image is, or by a volume with a name."""
        mounts = self.service.mounts
        return self.known.keeps_data or any(one.kind == "volume" and one.source is not None for one in mounts)

    def told(self) -> str:
        """Return where what this service asks for is known from."""
        annotation = self.service.annotation
        stated = annotation.mapping if annotation is not None else {}
        sources: dict[str, list[str]] = {self.memory_from: ["memory"]}
        for what in ("image", "startup"):
            source = "x-vsim" if what in stated else self._catalogue
            sources.setdefault(source, []).append({"startup": "start-up"}.get(what, what))
        return "; ".join(f"{listed(whats, 'and')} from {source}" for source, whats in sources.items())

    def _take(self, field: str, quantity: Any) -> float:
        self.catalogued[field] = quantity.name
        return float(quantity.value)

    def _memory(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        resources, usual = self.service.resources, self.known.memory_bytes
        reserved = resources.memory_reserved_bytes or resources.memory_limit_bytes
        if "memory" in stated:
            self.memory_from = "x-vsim"
            return {}
        if reserved is None:
            self.memory_from = self._catalogue
            return {"memory": self._take("memory_bytes", usual)}
        word = "reservation" if resources.memory_reserved_bytes else "limit"
        self.memory_from = f"its {word}"
        if "memory_touched" in stated:
            return {"memory": reserved}
        self.memory_from += f", {self._catalogue} touched"
        return {"memory": reserved, "memory_touched": min(1.0, self._take("memory_touched", usual) / reserved)}

    @property
    def _catalogue(self) -> str:
        return "an unknown application" if self.known.name == UNKNOWN else f"the catalogue's {self.known.name}"

    def _cpu(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        resources = self.service.resources
        found: dict[str, Any] = {}
        if resources.cpu_limit_cores is not None:
            found["cpu_limit"] = resources.cpu_limit_cores
        if resources.cpu_reserved_cores is not None:
            found["cpu"] = min(resources.cpu_reserved_cores, resources.cpu_limit_cores or resources.cpu_reserved_cores)
        return found


def image_key(service: ComposeService) -> str:
    """Return what tells images apart: the name, or what is built; equal builds make equal images."""
    if service.image is not None:
        return service.image
    assert service.build is not None or service.image is None
    if service.build is None:
        return service.name
    return f"build {service.build.context}" + (f" ({service.build.target})" if service.build.target else "")


def disk_path(service: ComposeService) -> str:
    """Return where a service keeps its data: on a volume, in a folder of the host, or in the image's file system."""
    kinds = {mount.kind for mount in service.mounts}
    return "volume" if "volume" in kinds else "bind" if "bind" in kinds else "root"


def network_mode(service: ComposeService, project: ComposeProject) -> str:
    """Return how a service's requests reach it."""
    if service.network_mode == "host":
        return "host"
    if any(project.networks[n].driver == "overlay" for n in service.networks if n in project.networks):
        return "overlay"
    return "published" if service.ports else "bridge"


# Devices that only some machines have: the pins of a Raspberry Pi and their buses, and its camera.
_SPECIAL = (
    (re.compile(r"/dev/(gpiomem|gpiochip|i2c-|spidev)"), "gpio"),
    (re.compile(r"/dev/(vchiq|vcsm|video1[0-9]$)"), "camera"),
)


def requirements(service: ComposeService) -> dict[str, Place | None]:
    """Return the capabilities that an architecture must offer for this service, and where the file asks for each."""
    found: dict[str, Place | None] = {}
    for device in service.devices:
        found.setdefault("devices", device.place)
        for pattern, capability in _SPECIAL:
            if pattern.match(device.source):
                found.setdefault(capability, device.place)
    for key in ("privileged", "gpus", "deploy"):
        part = service.parts.get(key)
        stated = {"privileged": service.privileged}.get(key, service.resources.gpus)
        if stated and part is not None:
            found.setdefault("devices", part.place(key=True))
    return found


def _connections(services: Mapping[str, ComposeService], project: ComposeProject) -> Iterator[Connection]:
    """Yield who calls whom: a service those that it depends on."""
    names = {service.name: name for name, service in services.items()}
    for name, service in services.items():
        for dependency in service.depends_on:
            if dependency.service not in names:
                continue
            other = services[names[dependency.service]]
            common = set(service.networks) & set(other.networks)
            networks: Literal["none", "joined", "overlay"] = "joined" if common else "none"
            if any(project.networks[n].driver == "overlay" for n in common if n in project.networks):
                networks = "overlay"
            if _same_namespace(service, other):
                networks = "joined"
            published = bool(other.ports) or other.network_mode == "host"
            yield Connection(name, names[other.name], networks, published)


def _same_namespace(service: ComposeService, other: ComposeService) -> bool:
    """Return whether both use one network namespace: the host's, or that of one of them."""
    modes = {service.network_mode, other.network_mode}
    return modes == {"host"} or bool(modes & {f"service:{service.name}", f"service:{other.name}"})


def _notes(project: ComposeProject, demands: Mapping[str, _Demand], services: list[Service]) -> Iterator[str]:
    """Yield what the reader should know: where each demand comes from, what isn't used, what is odd."""
    for service in services:
        yield f"{service.name}: {demands[service.name].told()}"
    asked = {name for service in services for name in service.calls}
    for service in services:
        if service.calls:
            yield f"{service.name}: each request calls {listed(service.calls, 'and')}"
        if service.request is not None and service.arrivals is None and service.name not in asked:
            yield f"{service.name}: nobody asks it anything; state `arrivals` for it, or for one that depends on it"
    if project.inactive:
        yield f"not active, by their profiles: {listed(project.inactive, 'and')}"
    # what depends on what says who calls whom, where requests are stated
    ignored = [one for one in project.ignored if one.key != "depends_on" or not asked]
    if ignored:
        yield "not used by the model: " + "; ".join(f"{one.key} ({', '.join(one.where)})" for one in ignored)
    yield from project.notes
