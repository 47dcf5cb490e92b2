"""What a compose file states and the model doesn't use: listed, so that nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import Ignored

__all__ = ["ignored_in"]

# What the model uses of a service, and of its `deploy`.
_USED = frozenset(
    {
        *("image", "build", "provider", "container_name", "profiles", "extends", "x-vsim"),
        *("ports", "networks", "network_mode", "links", "volumes", "volumes_from", "devices", "gpus", "privileged"),
        *("deploy", "scale", "cpus", "cpu_quota", "cpu_period", "cpu_count", "mem_limit", "mem_reservation"),
    }
)
_USED_OF_DEPLOY = frozenset({"replicas", "resources", "mode"})
_USED_OF_TOP = frozenset({"version", "name", "services", "networks", "volumes", "include", "x-vsim"})


def ignored_in(document: Part, services: Mapping[str, Part]) -> tuple[Ignored, ...]:
    """Return each key of the active `services` and of the file that the model doesn't use, with who states it.

    Keys of the user's own (``x-…``) aren't listed: they are ignored by definition.
    """
    found: dict[str, list[str]] = {}
    for key in document.mapping:
        if key not in _USED_OF_TOP and not key.startswith("x-"):
            found.setdefault(key, []).append("the file")
    for name, part in services.items():
        for key in _unused(part):
            found.setdefault(key, []).append(name)
    return tuple(Ignored(key, tuple(where)) for key, where in sorted(found.items()))


def _unused(part: Part) -> Iterator[str]:
    for key, child in part.mapping.items():
        if key == "deploy":
            yield from (
                f"deploy.{below}"
                for below in child.mapping
                if below not in _USED_OF_DEPLOY and not below.startswith("x-")
            )
        elif key not in _USED and not key.startswith("x-"):
            yield key
