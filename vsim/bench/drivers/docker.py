"""Docker through its SDK, with runc, crun and gVisor's runsc as runtimes, and an AArch64 image through qemu-user."""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vsim.bench import cgroups
from vsim.bench.drivers._engine import engine_socket, foreign_binaries, lack_of_engine, runtime_flags
from vsim.bench.drivers._gvisor import split_sandbox
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.errors import StageError, says
from vsim.bench.output import Output
from vsim.bench.payload import Payload, host_architecture
from vsim.bench.payload.image import write_image
from vsim.bench.workspace import Workspace, dead_runs, is_alive, owed_to

__all__ = ["DRIVERS", "LABEL"]

LABEL = "vsim.run"
_TIMEOUT_S = 60
_STOP_S = 5


@contextlib.contextmanager
def _stage(stage: str) -> Iterator[None]:
    """Turn what the SDK raises into a StageError with the engine's own words."""
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.APIError as error:
        raise StageError(stage, f"docker: {error.explanation or error}") from None
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise StageError(stage, f"docker: the daemon does not answer: {error}"[:300]) from None


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    """Take it for removed if the engine doesn't know it."""
    import docker.errors

    with contextlib.suppress(docker.errors.NotFound):
        yield


def _client(engine: str | None = None) -> Any:
    import docker

    # Waves of instances are asked for at once, each on a connection of its own.
    return docker.APIClient(
        base_url=f"unix://{engine or engine_socket()}", version="auto", timeout=_TIMEOUT_S, max_pool_size=64
    )


class _DockerSession(Session):
    """The image of this run, loaded once."""

    def __init__(self, workspace: Workspace, payload: Payload, driver: _DockerDriver) -> None:
        super().__init__(workspace, payload)
        self.driver = driver
        self.image = f"vsim/payload-{driver.name}:{workspace.run_id}"
        self.labels = {LABEL: workspace.run_id}
        self._network: str | None = None
        self._network_lock = threading.Lock()
        self._note = workspace.directory(driver.name) / "engine"
        archive = self._note.with_name("image.tar")
        try:
            write_image(payload, archive, tag=self.image, labels=self.labels)
            with _stage("open"):
                self.client = _client()
            # A daemon that goes keeps what it has: `vsim clean` finds it again by this note.
            self._note.write_text(f"{engine_socket()}\n")
            try:
                self._load(archive)
            except BaseException:
                with contextlib.suppress(StageError):
                    self.close()
                raise
        except OSError as error:
            raise StageError("open", f"the image: {says(error)}") from None
        finally:
            archive.unlink(missing_ok=True)

    def _load(self, archive: Path) -> None:
        with _stage("open"), archive.open("rb") as file:
            for answer in self.client.load_image(file, quiet=True):
                if "error" in answer:
                    raise StageError("open", f"docker load: {answer['error']}")

    def _create(self, spec: InstanceSpec) -> Instance:
        return _DockerInstance(self, self.workspace.name(self.driver.name), spec)

    def network(self) -> str:
        """Return the name of the run's own network, which is made when it is first asked for."""
        with self._network_lock:
            if self._network is None:
                name = f"{self.workspace.label}-{self.driver.name}"
                self.client.create_network(name, driver="bridge", labels=self.labels)
                self._network = name
            return self._network

    def gateway(self) -> str:
        """Return the host's own address on the engine's bridge."""
        config = self.client.inspect_network("bridge")["IPAM"]["Config"][0]
        # An engine that has made its bridge itself doesn't say its own address until it is started again: the first.
        return str(config.get("Gateway") or next(ipaddress.ip_network(config["Subnet"]).hosts()))

    def daemons(self) -> tuple[int, ...]:
        return tuple(pid for name in ("dockerd", "containerd") for pid in _named(name))

    def close(self) -> None:
        super().close()
        try:
            with _stage("close"):
                if self._network is not None:
                    with _unless_gone():
                        self.client.remove_network(self._network)
                with _unless_gone():
                    self.client.remove_image(self.image, force=True)
            self._note.unlink(missing_ok=True)
        finally:
            self.client.close()


class _DockerInstance(Instance):
    def __init__(self, session: _DockerSession, name: str, spec: InstanceSpec) -> None:
        self.name = name
        self.session = session
        self.client = session.client
        self._pid: int | None = None
        self._spec = spec
        with _stage("create"):
            host = self.client.create_host_config(
                runtime=session.driver.runtime,
                mem_limit=spec.memory_bytes,
                memswap_limit=spec.memory_bytes,
                pids_limit=spec.pids,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                read_only=not spec.writable_root,
                network_mode=self._network_mode(),
                port_bindings=self._published(),
                binds=[f"{source}:{target}:rw" for source, target in spec.binds.items()],
                # Output comes through the attached stream; a log file would be written besides.
                log_config={"Type": "none", "Config": {}},
            )
            self.client.create_container(
                session.image,
                command=list(spec.arguments),
                name=name,
                labels=session.labels,
                # A volume without a name goes when its container does.
                volumes=[spec.volume] if spec.volume is not None else None,
                ports=list(spec.ports) or None,
                host_config=host,
                environment=session.workspace.environment(),
                user="65534:65534",
            )
        try:
            with _stage("create"):
                stream = self.client.attach_socket(name, {"stdout": 1, "stderr": 1, "stream": 1})
        except BaseException:
            self.output = Output()
            self.remove()
            raise
        # The SDK sets its time limit on this connection as well; an instance may be silent for longer.
        stream._sock.settimeout(None)
        self.output = Output(_frames(stream), close=lambda: _close(stream))

    def _network_mode(self) -> str:
        match self._spec.network:
            case "host":
                return "host"
            case "user_defined":
                return self.session.network()
            case "bridge" | "published" | "published_no_proxy":
                return "bridge"
        return "none"

    def _published(self) -> dict[int, tuple[str]] | None:
        """Return where the ports are published on the host.

        What connects to its loopback address goes through the userland proxy; what connects to its address on the
        bridge is redirected by the kernel before it gets there.
        """
        if self._spec.network == "published":
            return dict.fromkeys(self._spec.ports, ("127.0.0.1",))
        if self._spec.network == "published_no_proxy":
            return dict.fromkeys(self._spec.ports, (self.session.gateway(),))
        return None

    def address(self) -> str | None:
        if self._spec.network == "host":
            return "127.0.0.1"
        with _stage("work"):
            networks = self.client.inspect_container(self.name)["NetworkSettings"]["Networks"]
        return next((each["IPAddress"] for each in networks.values() if each["IPAddress"]), None)

    def endpoint(self, port: int) -> tuple[str, int] | None:
        if self._spec.network not in ("published", "published_no_proxy"):
            return super().endpoint(port)
        with _stage("work"):
            ports = self.client.inspect_container(self.name)["NetworkSettings"]["Ports"]
        found = ports.get(f"{port}/tcp") or []
        return (found[0]["HostIp"], int(found[0]["HostPort"])) if found else None

    def start(self) -> None:
        try:
            with _stage("start"):
                self.client.start(self.name)
        except StageError:
            self._end_stray()
            raise

    def _end_stray(self) -> None:
        """Kill what a runtime has left of a start that failed: the engine takes the container for not running."""
        with contextlib.suppress(Exception):
            identity = self.client.inspect_container(self.name)["Id"].encode()
            for entry in Path("/proc").iterdir():
                with contextlib.suppress(OSError):
                    if entry.name.isdigit() and identity in (entry / "cmdline").read_bytes():
                        os.kill(int(entry.name), signal.SIGKILL)

    def stop(self) -> None:
        with _stage("stop"):
            self.client.stop(self.name, timeout=_STOP_S)

    def remove(self) -> None:
        import docker.errors

        with _stage("remove"), contextlib.suppress(docker.errors.NotFound):
            self.client.remove_container(self.name, v=True, force=True)
        self.output.close()

    def main_pid(self) -> int | None:
        """Return the first process's number, if it is one of this host: Docker Desktop's are in another system."""
        if self._pid is None:
            with _stage("work"):
                state = self.client.inspect_container(self.name)
            pid = state["State"]["Pid"]
            with contextlib.suppress(OSError):
                if pid and state["Id"] in Path(f"/proc/{pid}/cgroup").read_text():
                    self._pid = pid
        return self._pid

    def _cgroup(self) -> cgroups.Cgroup | None:
        pid = self.main_pid()
        return cgroups.cgroup_of(pid) if pid is not None else None

    def pids(self) -> tuple[int, ...]:
        group = self._cgroup()
        return split_sandbox(group.pids())[0] if group is not None else ()

    def helpers(self) -> tuple[int, ...]:
        """Return the shim, which is the parent of the first process, and a sandbox's file server."""
        group = self._cgroup()
        if group is None or self._pid is None:
            return ()
        shim = _parent(self._pid)
        found = split_sandbox(group.pids())[1]
        return (shim, *found) if shim is not None and shim > 1 else found

    def cgroup_bytes(self) -> int | None:
        group = self._cgroup()
        return group.memory_bytes() if group is not None else None


def _close(stream: Any) -> None:
    """Close an attached stream: the SDK's object, the answer it came from, and the socket below both."""
    for each in (stream, stream._response, stream._sock):
        # the reading thread may be in the middle of it
        with contextlib.suppress(OSError, ValueError):
            each.close()


def _frames(stream: Any) -> Any:
    """Return a function that reads the next piece of output: before each come 8 bytes, the last 4 of them its size."""
    sock = stream._sock
    lock = threading.Lock()

    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = sock.recv(size - len(data))
            if not piece:
                return b""
            data += piece
        return data

    def read() -> bytes:
        with lock:
            header = exactly(8)
            return exactly(int.from_bytes(header[4:], "big")) if header else b""

    return read


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("PPid:"):
                return int(line.split()[1])
    return None


def _named(name: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "comm").read_text().strip() == name:
                    found.append(int(entry.name))
    return found


class _DockerDriver(Driver):
    stack = "container"
    packages: tuple[str, ...] = ("docker.io",)
    overhead_bytes = 24 * 2**20
    start_timeout_s = 30.0
    typical_start_s = 0.4
    pids_per_instance = 24
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root", "volumes"})
    networks: tuple[str, ...] = ("bridge", "host", "published", "published_no_proxy", "user_defined", "loopback")

    def __init__(
        self,
        name: str,
        runtime: str,
        below: str,
        *,
        stack: str = "container",
        packages: tuple[str, ...] = (),
        architecture: str | None = None,
        flags: tuple[str, ...] = (),
        typical_start_s: float = 0.4,
    ) -> None:
        self.name = name
        self.runtime = runtime
        self.below = below
        self.stack = stack
        self.packages = ("docker.io", *packages)
        self.architecture = architecture
        self.flags = flags
        self.typical_start_s = typical_start_s
        if runtime == "runsc":
            self.overhead_bytes = 80 * 2**20
            self.pids_per_instance = 80
            self.capabilities = self.capabilities - {"pss"}

    def lack(self) -> str | None:
        if importlib.util.find_spec("docker") is None:
            return "the Python package docker is not installed (pip install docker)"
        if self.architecture is not None:
            if self.architecture == host_architecture():
                return f"this host is {self.architecture} itself: the rung docker measures it"
            reason = foreign_binaries(self.architecture)
            if reason is not None:
                return reason
        reason = lack_of_engine(self.runtime)
        if reason is None:
            self._look()
        return reason

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        self._look()
        return _DockerSession(workspace, payload, self)

    def _look(self) -> None:
        """Take note of how the daemon calls gVisor: it is part of what the samples mean."""
        if self.runtime == "runsc":
            self.flags = runtime_flags(self.runtime)

    def sweep(self) -> list[str]:
        """Remove containers and images whose run doesn't live; the first of these drivers does it for all."""
        if self.name != "docker" or importlib.util.find_spec("docker") is None:
            return []
        notes = {note: note.read_text().strip() for run in dead_runs() for note in owed_to(run)}
        removed: list[str] = []
        for engine in dict.fromkeys([engine_socket(), *notes.values()]):
            try:
                with _stage("remove"):
                    removed += _sweep_engine(engine)
            except StageError:
                # Its notes stay, and with them the question.
                continue
            for note in (note for note, of in notes.items() if of == engine):
                note.unlink(missing_ok=True)
        return removed


def _sweep_engine(engine: str) -> Iterator[str]:
    """Remove what dead runs have in this engine; yield what was removed."""
    client = _client(engine)
    try:
        for container in client.containers(all=True, filters={"label": LABEL}):
            if not is_alive(container["Labels"][LABEL]):
                with _unless_gone():
                    client.remove_container(container["Id"], v=True, force=True)
                    yield f"docker container {container['Names'][0].lstrip('/')}"
        for network in client.networks(filters={"label": LABEL}):
            if not is_alive(network["Labels"][LABEL]):
                with _unless_gone():
                    client.remove_network(network["Id"])
                    yield f"docker network {network['Name']}"
        for image in client.images(filters={"label": LABEL}):
            if not is_alive(image["Labels"][LABEL]):
                with _unless_gone():
                    client.remove_image(image["Id"], force=True)
                    yield f"docker image {(image['RepoTags'] or [image['Id']])[0]}"
    finally:
        client.close()


DRIVERS = (
    _DockerDriver("docker", "runc", "runc"),
    _DockerDriver("docker-crun", "crun", "crun", packages=("crun",)),
    _DockerDriver(
        "docker-runsc", "runsc", "gvisor", stack="sandboxed-container", packages=("runsc",), typical_start_s=0.6
    ),
    _DockerDriver(
        "docker-arm64",
        "runc",
        "docker",
        packages=("qemu-user-static",),
        architecture="aarch64",
        flags=("foreign-cpu",),
        typical_start_s=0.45,
    ),
)
