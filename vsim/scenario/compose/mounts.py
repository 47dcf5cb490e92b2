"""Volumes, bind mounts and devices: ``data:/var/lib/data:ro``, ``./src:/app``, ``/dev/ttyUSB0:/dev/ttyUSB0:rw``.

The short form's rules are those of compose-go, format.ParseVolume. Nothing that is named here is ever looked at.
"""

from __future__ import annotations

import re

from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import Device, Mount
from vsim.scenario.compose.units import boolean, text_of
from vsim.scenario.validation import shown

__all__ = ["read_device", "read_mount"]

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
_HINT = "write `NAME:/path/in/the/container`, or `./FOLDER:/path` for a folder of yours"


def read_mount(part: Part) -> Mount:
    """Return what one entry of `volumes:` mounts. Raises InputError, with its place, for what isn't a mount."""
    if isinstance(part.value, dict):
        return _long(part)
    text = str(part.value)
    fields = _split(text)
    if not all(fields):
        raise part.error(f"{shown(text)} has nothing on one side of a colon", _HINT)
    if len(fields) > 3:
        raise part.error(f"{shown(text)} has too many colons", _HINT)
    place = part.place()
    if len(fields) == 1:
        return Mount("volume", _clean(fields[0]), None, place=place)
    source, target = fields[0], fields[1]
    options = fields[2].split(",") if len(fields) == 3 else []
    kind = "bind" if source.startswith((".", "/", "~", "\\")) or _WINDOWS.match(source) else "volume"
    return Mount(kind, _clean(target), source, "ro" in options, place)


def _long(part: Part) -> Mount:
    kind = text_of(part.get("type")) or "volume"
    target = text_of(part.get("target"))
    if target is None:
        raise part.error("the key 'target' is missing in this mount", "add `target:`, a path in the container")
    source = text_of(part.get("source"))
    if kind == "bind" and not source:
        raise part.error("a bind mount needs a `source`", "add `source:`, a path on the host")
    return Mount(kind, _clean(target), source or None, boolean(part.get("read_only")), part.place())


def _clean(path: str) -> str:
    """Return a path of the container without what makes no difference."""
    return path.rstrip("/") or path


def _split(text: str) -> list[str]:
    """Return the fields between the colons; the colon after the letter of a Windows drive is none."""
    fields: list[str] = []
    start = index = 0
    while index < len(text):
        drive = text[index] == ":" and index - start == 1 and _WINDOWS.match(text, start)
        if text[index] == ":" and not drive:
            fields.append(text[start:index])
            start = index + 1
        index += 1
    fields.append(text[start:])
    return fields


def read_device(part: Part) -> Device:
    """Return what one entry of `devices:` passes on. Raises InputError, with its place, for what isn't a device."""
    if isinstance(part.value, dict):
        source = text_of(part.get("source")) or ""
        target, permissions = text_of(part.get("target")) or source, text_of(part.get("permissions")) or "rwm"
    else:
        fields = str(part.value).split(":")
        if len(fields) > 3:
            raise part.error(f"{shown(part.value)} has too many colons", "write `/dev/NAME:/dev/NAME:rwm`")
        source = fields[0]
        target = (fields[1] if len(fields) > 1 else "") or source
        permissions = fields[2] if len(fields) > 2 else "rwm"
        if len(fields) == 2 and target and set(target) <= set("rwm"):
            target, permissions = source, target
    if not source:
        raise part.error("a device needs a path", "write `/dev/NAME`")
    if not permissions or not set(permissions) <= set("rwm"):
        raise part.error(f"{shown(permissions)} are not permissions of a device", "letters of `rwm`")
    return Device(source, target, permissions, part.place())
