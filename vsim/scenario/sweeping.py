"""Sweeps: from paths in the file (``services.web.memory``) to paths in the scenario (``services.web.memory_bytes``).

Every value is checked by putting it into the file and validating the whole file again, so that what a sweep may say is
exactly what the file may say.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from vsim.errors import InputError
from vsim.scenario.document import Document
from vsim.scenario.file import MAX_POINTS, ScenarioFile
from vsim.scenario.scenario import Sweep
from vsim.scenario.validation import did_you_mean, listed, shown, validate
from vsim.scenario.workload_file import ImageFile
from vsim.scenario.written import Written

__all__ = ["SERVICE_PATHS", "model_path", "sweep_of"]

# The keys of a service whose value has another name in `vsim.model.workload.Service`.
SERVICE_PATHS: Mapping[str, str] = {
    "image": "image.bytes",
    "image.size": "image.bytes",
    "memory": "memory_bytes",
    "cpu": "cpu_cores",
    "cpu_limit": "cpu_limit_cores",
    "startup.cpu": "startup_core_s",
    "startup.wait": "startup_wait_s",
    "startup.read": "startup_read_bytes",
    "request.user": "request.user_core_s",
    "request.system_calls": "request.system_call_core_s",
    "request.page_faults": "request.page_fault_core_s",
    "request.disk_read": "request.disk_read_bytes",
    "request.disk_write": "request.disk_write_bytes",
    "request.receive": "request.receive_bytes",
    "request.send": "request.send_bytes",
    "arrivals.rate": "arrivals.rate_per_s",
    "arrivals.burst_length": "arrivals.burst_s",
    "arrivals.period": "arrivals.period_s",
    "slo": "slo_s",
}
_OTHER_PATHS: Mapping[str, str] = {"run.duration": "run.duration_s", "run.warmup": "run.warmup_s"}
# What can't be swept: it names a file or makes one scenario another.
_FIXED = ("schema", "title", "jobs", "demands", "sweep", "incidents")
_FIXED_KEYS = ("trace", "kind", "period")


def sweep_of(document: Document, file: ScenarioFile) -> Sweep | None:
    """Return the file's sweep with paths and values of the scenario, or None.

    A path that starts with no key of a scenario is left to the profile. Raises InputError with its place for a path in
    the scenario that leads nowhere, and for a value that doesn't fit there.
    """
    sweep = file.sweep
    if sweep is None:
        return None
    lengths = {path: len(values) for path, values in sweep.parameters.items()}
    if sweep.mode == "list" and len(set(lengths.values())) > 1:
        raise document.error(
            ("sweep", "parameters"),
            f"mode list takes values side by side, but there are {listed(map(str, lengths.values()), 'and')} of them",
            hint="make the lists equally long, or use `mode: grid`",
            key=True,
        )
    if sweep.mode == "grid" and math.prod(lengths.values()) > MAX_POINTS:
        raise document.error(
            ("sweep",),
            f"{math.prod(lengths.values()):,} combinations are more than {MAX_POINTS:,}",
            hint="fewer values, or several files",
            key=True,
        )
    parameters: dict[str, tuple[object, ...]] = {}
    for path, values in sweep.parameters.items():
        loc = ("sweep", "parameters", path)
        if path.partition(".")[0] in _top_keys():
            target, found = _in_scenario(document, file, path, values)
        else:
            target = path
            found = [_number(document, (*loc, number), path, value) for number, value in enumerate(values)]
        parameters[Written(target, document.key_place(loc))] = tuple(found)
    return Sweep(parameters, sweep.mode)


def model_path(path: str, services: Iterable[str]) -> str:
    """Return the path in a scenario of one in a file: ``services.web.memory_bytes`` of ``services.web.memory``.

    `services` are the scenario's, by name. A path that is none of a file's is returned as it is.
    """
    first, _, rest = path.partition(".")
    if first == "services":
        names = [name for name in services if rest.startswith(f"{name}.")]
        if names:
            name = max(names, key=len)
            key = rest[len(name) + 1 :]
            return f"services.{name}.{SERVICE_PATHS.get(key, key)}"
    return _OTHER_PATHS.get(path, path)


def _top_keys() -> list[str]:
    return [field.alias or name for name, field in ScenarioFile.model_fields.items()]


def _number(document: Document, loc: tuple[str | int, ...], path: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        first = path.partition(".")[0]
        hint = did_you_mean(first, _top_keys()) or "in the unit that `vsim explain` shows for it"
        raise document.error(loc, f"{path} takes a number, zero or more, not {shown(value)}", hint=hint)
    return float(value)


def _in_scenario(document: Document, file: ScenarioFile, path: str, values: list[object]) -> tuple[str, list[object]]:
    """Return the path in the scenario, and the values in its base units."""
    loc = ("sweep", "parameters", path)
    if path.partition(".")[0] in _FIXED:
        raise document.error(loc, f"`{path.partition('.')[0]}` can't be swept", key=True, hint="make several files")
    keys = _keys(document, file, path)
    if keys[-1] in _FIXED_KEYS:
        raise document.error(loc, f"`{keys[-1]}` can't be swept", key=True, hint="make several files")
    found = []
    for number, value in enumerate(values):
        changed = document.with_data(_relevant(document.data, keys))
        _set(changed.data, keys, value)
        try:
            model = validate(changed, ScenarioFile)
        except InputError as error:
            place = document.place((*loc, number))
            raise InputError(f"{path} at {shown(value)}: {error.message}", place=place, hint=error.hint) from None
        found.append(_plain(_get(model, keys), keys))
    if keys[0] == "services":
        rest = ".".join(keys[2:])
        return f"services.{keys[1]}.{SERVICE_PATHS.get(rest, rest)}", found
    return _OTHER_PATHS.get(path, path), found


def _keys(document: Document, file: ScenarioFile, path: str) -> list[str]:
    """Return the keys that `path` consists of; the name of a service may hold dots."""
    loc = ("sweep", "parameters", path)
    first, _, rest = path.partition(".")
    keys = [first]
    model: Any = file
    if first == "services" and not rest:
        raise document.error(loc, "'services' is a group, not a value", key=True, hint="name a service and a key of it")
    if first == "services":
        names = [name for name in file.services if rest == name or rest.startswith(f"{name}.")]
        if not names:
            known = did_you_mean(rest.partition(".")[0], file.services)
            raise document.error(
                loc,
                f"there is no service {rest.partition('.')[0]!r}",
                key=True,
                hint=known or "state it under `services:`",
            )
        name = max(names, key=len)
        keys.append(name)
        model, rest = file.services[name], rest[len(name) + 1 :]
    else:
        model = getattr(file, first)
    for part in rest.split(".") if rest else ():
        known_keys = list(type(model).model_fields) if isinstance(model, BaseModel) else []
        if part not in known_keys:
            where = ".".join(keys)
            hint = did_you_mean(part, known_keys) or (
                f"{where} has {listed(known_keys, 'and')}" if known_keys else None
            )
            raise document.error(loc, f"{path!r} leads nowhere: {where} has no {part!r}", key=True, hint=hint)
        keys.append(part)
        model = getattr(model, part)
        if model is None and part in ("request", "arrivals"):
            raise document.error(
                loc, f"{path!r} leads nowhere: there is no {part!r}", key=True, hint=f"state `{part}:`"
            )
    if isinstance(model, BaseModel) and not isinstance(model, ImageFile):
        raise document.error(
            loc, f"{path!r} is a group, not a value", key=True, hint=f"go on with {listed(type(model).model_fields)}"
        )
    return keys


def _relevant(data: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Return a copy of what the value at `keys` may contradict: thousands of values are checked against it."""
    kept = {key: part for key, part in data.items() if key not in ("sweep", "services", "incidents")}
    if keys[0] == "run":
        kept["incidents"] = data.get("incidents") or []
    services = data.get("services") or {}
    name = keys[1] if keys[0] == "services" else next(iter(services), None)
    if name is not None:
        kept["services"] = {name: services[name]}
    return copy.deepcopy(kept)


def _set(data: Any, keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        if not isinstance(data.get(key), dict):
            data[key] = {}
        data = data[key]
    data[keys[-1]] = value


def _get(model: Any, keys: list[str]) -> object:
    for key in keys:
        model = model[key] if isinstance(model, dict) else getattr(model, key)
    return model


def _plain(value: object, keys: list[str]) -> object:
    if isinstance(value, ImageFile):
        return value.size
    if isinstance(value, list):
        return tuple(value)
    if keys == ["run", "replications"] and value == "auto":
        return None
    return value
