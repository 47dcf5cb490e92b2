"""From the paths of compose files to a checked project."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from vsim.scenario.compose.checks import check_circles, check_ports, check_service, check_targets
from vsim.scenario.compose.ignored import ignored_in
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import ComposeProject, ComposeService
from vsim.scenario.compose.reading import Reader, find_file
from vsim.scenario.compose.services import read_network, read_service, read_volume
from vsim.scenario.compose.units import text_of
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["load_project"]

_SECTIONS = ("networks", "volumes", "secrets", "configs")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def load_project(
    paths: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, profiles: Collection[str] = ()
) -> ComposeProject:
    """Return the project that the compose files at `paths` (a folder stands for the file in it) describe together.

    `environment` are the variables that files may use (default: none but those in `.env`); of services with `profiles`
    only those with an active one are in the project. Nothing is executed or fetched, and nothing outside the folder of
    the first file is read. Raises InputError, with file, line and column, for the first thing that is wrong.
    """
    files = [find_file(Path(path)) for path in paths]
    reader = Reader(files[0].parent, environment or {})
    variables = reader.variables()
    document = reader.read(files, variables)
    active = set(profiles) | {name.strip() for name in variables.get("COMPOSE_PROFILES", "").split(",") if name.strip()}
    parts = document.get("services")
    services = parts.mapping if parts is not None else {}
    if not services:
        raise document.error("there are no services in this file", "a compose file has `services:`, each with an image")
    _check_profiles(document, services, active)
    chosen = {name: part for name, part in services.items() if _is_active(part, active)}
    sections = {section: _section(document, section) for section in _SECTIONS}
    sections["networks"].setdefault("default", document)
    read = {name: read_service(name, part) for name, part in chosen.items()}
    names = {name: name in chosen for name in services}
    for name, part in chosen.items():
        check_service(read[name], part, sections, names)
        check_targets(read[name])
        reader.check_environment_files(part, variables)
    _check_sections(document)
    _check_names(read, chosen)
    if not read:
        raise document.error(
            "no service is active: each has a profile, and none of them was chosen",
            f"--compose-profile {_profiles(services)[0]}",
        )
    check_circles(read)
    check_ports(read)
    return ComposeProject(
        name=_name(document, files[0], variables),
        files=tuple(str(file) for file in files),
        services=read,
        networks={name: read_network(name, part) for name, part in _section(document, "networks").items()},
        volumes={name: read_volume(name, part) for name, part in sections["volumes"].items()},
        inactive=tuple(name for name in services if name not in chosen),
        ignored=ignored_in(document, chosen),
        notes=tuple(_notes(reader, read)),
        annotation=document.get("x-vsim"),
    )


def _section(document: Part, section: str) -> dict[str, Part]:
    found = document.get(section)
    return dict(found.mapping) if found is not None else {}


def _profiles(services: Mapping[str, Part]) -> list[str]:
    return list(
        dict.fromkeys(
            str(entry.value) for part in services.values() for entry in (part.get("profiles") or part.like([])).entries
        )
    )


def _is_active(part: Part, active: set[str]) -> bool:
    stated = part.get("profiles")
    return stated is None or not stated.entries or "*" in active or any(str(e.value) in active for e in stated.entries)


def _check_profiles(document: Part, services: Mapping[str, Part], active: set[str]) -> None:
    known = _profiles(services)
    for name in sorted(active - {"*"}):
        if name not in known:
            hint = did_you_mean(name, known) or (f"there are {listed(known, 'and')}" if known else "leave it out")
            raise document.error(f"no service has the profile {name!r}", hint)


def _check_sections(document: Part) -> None:
    """Refuse secrets and configs that come from nowhere."""
    wanted = {"secrets": ("file", "environment"), "configs": ("file", "environment", "content")}
    for section, sources in wanted.items():
        for name, part in _section(document, section).items():
            external = part.get("external")
            if external is not None and external.value not in (False, "false", None):
                continue
            if part.get("driver") is None and not any(part.get(source) is not None for source in sources):
                raise part.error(
                    f"`{name}` doesn't say where its content comes from",
                    f"add {listed([f'`{s}:`' for s in sources])}",
                    key=True,
                )


def _check_names(services: Mapping[str, ComposeService], parts: Mapping[str, Part]) -> None:
    seen: dict[str, str] = {}
    for name, service in services.items():
        own = service.container_name
        if own is not None and own in seen:
            raise (
                parts[name]
                .mapping["container_name"]
                .error(f"{seen[own]!r} and {name!r} have the same container name", "give one of them another")
            )
        if own is not None:
            seen[own] = name


def _name(document: Part, file: Path, variables: Mapping[str, str]) -> str:
    """Return the project's name: stated in the file, by COMPOSE_PROJECT_NAME, or made of the folder's."""
    stated = document.get("name")
    text = text_of(stated)
    if stated is not None and text is not None:
        if not _NAME.fullmatch(text):
            raise stated.error(
                f"{text!r} can't be a project's name",
                "lower-case letters, digits, `-` and `_`, a letter or digit first",
            )
        return text
    given = variables.get("COMPOSE_PROJECT_NAME", "")
    if _NAME.fullmatch(given):
        return given
    folder = re.sub(r"[^a-z0-9_-]", "", file.parent.resolve().name.lower()).lstrip("-_")
    return folder or "app"


def _notes(reader: Reader, services: Mapping[str, ComposeService]) -> list[str]:
    notes = []
    if reader.unset:
        names = list(reader.unset)
        are = "isn't set and stands" if len(names) == 1 else "aren't set and stand"
        notes.append(f"{listed(names, 'and')} {are} for nothing")
    for name, service in services.items():
        fixed = [str(p.published) for p in service.ports if p.published is not None and p.published_last is None]
        if service.replicas > 1 and fixed:
            notes.append(
                f"{name}: {service.replicas} replicas publish port {listed(fixed, 'and')} of the host; on one host "
                f"only one of them gets it (a swarm's routing mesh shares it)"
            )
        if service.replicas == 0:
            notes.append(f"{name}: no replicas, so it isn't simulated")
    return notes
