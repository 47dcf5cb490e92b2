"""What a compose file describes, with its short forms written out: services, networks, volumes.

Plain descriptions without state; numbers in base units. `place` says where in the files each thing stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vsim.errors import Place

__all__ = [
    "Build",
    "ComposeProject",
    "ComposeService",
    "Condition",
    "Dependency",
    "Device",
    "Healthcheck",
    "Ignored",
    "Mount",
    "Network",
    "Port",
    "Resources",
    "Volume",
]

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the container that is reached through the host.

    `published` is the host's port (None: the engine picks a free one); for a range of which one is picked it is the
    first, and `published_last` the last. `host_ip` is the address that it is bound to (None: all).
    """

    target: int
    published: int | None = None
    published_last: int | None = None
    protocol: str = "tcp"
    host_ip: str | None = None
    mode: str = "ingress"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system that is mounted at `target`: a `volume` (without `source`: anonymous), `bind`, `tmpfs`, …"""

    kind: str
    target: str
    source: str | None = None
    read_only: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another service that has to be in the state `condition` before this one starts."""

    service: str
    condition: Condition = "service_started"
    required: bool = True
    restart: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How the engine finds out that a service is healthy; the defaults are Docker's. Times in seconds."""

    test: tuple[str, ...] = ()
    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0
    start_interval_s: float = 5.0
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """What an image is built from: a folder (or an address) and a stage of its Dockerfile."""

    context: str = "."
    dockerfile: str | None = None
    target: str | None = None
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the host that the container gets."""

    source: str
    target: str
    permissions: str = "rwm"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service may use at most, and what is kept for it; None: not stated."""

    cpu_limit_cores: float | None = None
    memory_limit_bytes: float | None = None
    cpu_reserved_cores: float | None = None
    memory_reserved_bytes: float | None = None
    gpus: bool = False


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service. `networks` are names of the project's networks; `annotation` is its `x-vsim:`, not yet checked."""

    name: str
    image: str | None = None
    build: Build | None = None
    replicas: int = 1
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    healthcheck: Healthcheck | None = None
    networks: tuple[str, ...] = ()
    network_mode: str | None = None
    devices: tuple[Device, ...] = ()
    privileged: bool = False
    resources: Resources = Resources()
    restart: str | None = None
    platform: str | None = None
    container_name: str | None = None
    profiles: tuple[str, ...] = ()
    annotation: Any = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)
    parts: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def volumes(self) -> tuple[Mount, ...]:
        """The mounts that are volumes, named or anonymous."""
        return tuple(mount for mount in self.mounts if mount.kind == "volume")


@dataclass(frozen=True, slots=True)
class Network:
    """A network. `internal`: without a way out; `external`: made by somebody else."""

    name: str
    driver: str | None = None
    external: bool = False
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume."""

    name: str
    driver: str | None = None
    external: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """A key that the files state and the model doesn't use, and the services (or sections) that state it."""

    key: str
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComposeProject:
    """One or more compose files, read, merged and checked. Only services whose profiles are active are in it.

    `inactive` names the others. `ignored` is what the model doesn't use, `notes` what the reader should know (that a
    variable isn't set). `annotation` is the top-level `x-vsim:`.
    """

    name: str
    files: tuple[str, ...]
    services: Mapping[str, ComposeService]
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    inactive: tuple[str, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    notes: tuple[str, ...] = ()
    annotation: Any = field(default=None, compare=False)
