"""Several descriptions of one thing laid on top of each other, as the Compose Specification says (13-merge.md).

Before that the short forms are written out, so that a short and a long one can be merged.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from vsim.scenario.compose.mounts import read_mount
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.ports import read_ports

__all__ = ["canonical", "merge", "settled"]

# Stated anew, not added to.
_REPLACED = frozenset({"command", "entrypoint", "test"})
# Where `[A=1, B]` means the same as `{A: 1, B: null}`.
_PAIRS = frozenset({"environment", "labels", "args", "annotations", "sysctls", "additional_contexts"})
_LISTS = frozenset({"env_file", "label_file", "dns", "dns_search", "tmpfs"})


def canonical(document: Part) -> Part:
    """Return a compose file with the short forms of its services written out."""
    services = document.get("services")
    if services is None:
        return document
    written = {name: _service(service) for name, service in services.mapping.items()}
    return document.like({**document.mapping, "services": services.like(written)})


def _service(service: Part) -> Part:
    written: dict[str, Part] = {}
    for key, part in service.mapping.items():
        written[key] = part
        if key == "build" and isinstance(part.value, str):
            written[key] = part.like({"context": part})
        elif key == "build":
            written[key] = part.like({k: _pairs(v) if k in _PAIRS else v for k, v in part.mapping.items()})
        elif key == "depends_on" and isinstance(part.value, list):
            started = "service_started"
            written[key] = part.like({str(e.value): e.like({"condition": e.like(started)}) for e in part.entries})
        elif key == "networks" and isinstance(part.value, list):
            written[key] = part.like({str(entry.value): entry.like(None) for entry in part.entries})
        elif key in _PAIRS:
            written[key] = _pairs(part)
        elif key in _LISTS and not isinstance(part.value, list | None):
            written[key] = part.like([part])
    return service.like(written) if isinstance(service.value, dict) else service


def _pairs(part: Part) -> Part:
    if not isinstance(part.value, list):
        return part
    pairs: dict[str, Part] = {}
    for entry in part.entries:
        name, equals, value = str(entry.value).partition("=")
        pairs[name] = entry.like(value if equals else None)
    return part.like(pairs)


def settled(part: Part) -> Part | None:
    """Return a part with its tags carried out on nothing: without what is `!reset`."""
    if part.tag == "!reset":
        return None
    value = part.value
    if isinstance(value, dict):
        found = {key: settled(child) for key, child in value.items()}
        value = {key: child for key, child in found.items() if child is not None}
    elif isinstance(value, list):
        value = [child for child in map(settled, value) if child is not None]
    made = part.like(value)
    made.tag = None
    return made


def merge(below: Part, above: Part, key: str = "") -> Part | None:
    """Return `below` with `above` on top; None where that takes it out. `key` is the key that both stand under."""
    if above.tag is not None:
        return settled(above)
    if above.value is None:
        return below
    if isinstance(below.value, dict) and isinstance(above.value, dict):
        merged: dict[str, Part] = dict(below.value)
        for name, child in above.value.items():
            made = merge(merged[name], child, name) if name in merged else settled(child)
            if made is None:
                merged.pop(name, None)
            else:
                merged[name] = made
        return above.like(merged)
    if isinstance(below.value, list) and isinstance(above.value, list) and key not in _REPLACED:
        return above.like(_joined(key, below.value, above.value))
    return above


def _joined(key: str, below: list[Part], above: list[Part]) -> list[Part]:
    """Return both lists, one after the other; of entries with the same identity the later one."""
    identity = _IDENTITIES.get(key, _itself)
    found: dict[Hashable, Part] = {}
    for entry in (*below, *(child for child in map(settled, above) if child is not None)):
        found[identity(entry)] = entry
    return list(found.values())


def _itself(part: Part) -> Hashable:
    return _frozen(part.plain())


def _frozen(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((key, _frozen(below)) for key, below in value.items())
    if isinstance(value, list):
        return tuple(_frozen(below) for below in value)
    return (type(value).__name__, value)  # 1 is not True


def _port(part: Part) -> Hashable:
    return tuple((p.host_ip, p.published, p.published_last, p.target, p.protocol) for p in read_ports(part))


def _named(key: str) -> Callable[[Part], Hashable]:
    """Return the identity of what is found in the container under `key`, or under the name of its source."""

    def identity(part: Part) -> Hashable:
        if isinstance(part.value, dict):
            found = part.get(key) or part.get("source") or part.get("path")
            return _frozen(found.plain()) if found is not None else _itself(part)
        return _itself(part)

    return identity


_IDENTITIES: Mapping[str, Callable[[Part], Hashable]] = {
    "ports": _port,
    "volumes": lambda part: read_mount(part).target,
    "secrets": _named("target"),
    "configs": _named("target"),
    "env_file": _named("path"),
}
