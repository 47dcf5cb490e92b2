"""What the images of a compose project are built from: folders and Dockerfiles within the project's folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from vsim.scenario.compose.demands import scenario_name
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import ComposeProject
from vsim.scenario.compose.units import text_of
from vsim.scenario.validation import shown

__all__ = ["ImageBuild", "builds_of"]


@dataclasses.dataclass(frozen=True, slots=True)
class ImageBuild:
    """The build of one service's image: its context, its Dockerfile, the stage that is wanted, and build arguments."""

    context: Path
    dockerfile: Path
    target: str | None = None
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)


def builds_of(project: ComposeProject) -> dict[str, ImageBuild]:
    """Return the builds of `project` by the names that its services have in a scenario.

    Raises InputError, with its place, for a context or a Dockerfile that isn't there, lies outside the folder of the
    first compose file, or stands in the compose file itself.
    """
    root = Path(project.files[0]).parent.resolve()
    found = {}
    for service in project.services.values():
        part = service.parts.get("build")
        if service.build is None or part is None or service.replicas == 0:
            continue
        inline = part.get("dockerfile_inline")
        if inline is not None:
            raise inline.error(
                "a Dockerfile within a compose file isn't read", "put it into a file, and name that one", key=True
            )
        stated = part.get("context") or part
        context = _inside(stated, service.build.context, stated.source.folder, root)
        if not context.is_dir():
            raise stated.error(f"there is no folder {service.build.context!r}", "a context is relative to this file")
        named = part.get("dockerfile") or stated
        dockerfile = _inside(named, service.build.dockerfile or "Dockerfile", context, root)
        if not dockerfile.is_file():
            name = service.build.dockerfile or "Dockerfile"
            raise named.error(f"there is no {name!r} in the build context {service.build.context!r}", "add one")
        found[scenario_name(service.name)] = ImageBuild(
            context, dockerfile, service.build.target, _arguments(part.get("args"))
        )
    return found


def _inside(part: Part, text: str, folder: Path, root: Path) -> Path:
    """Return the path `text`, taken from `folder`, if it lies in the folder `root` whatever links lead there."""
    if "://" in text or text.startswith("git@"):
        raise part.error(f"{shown(text)} is somewhere else, and nothing is fetched", "copy it to this folder")
    try:
        inside = "\0" not in text and (folder / text).resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        raise part.error(f"{shown(text)} can't be followed", "does a link lead to itself?") from None
    if not inside:
        raise part.error(
            f"{shown(text)} leads out of the folder of the compose file",
            "nothing outside of it is read: copy it there",
        )
    return folder / text


def _arguments(part: Part | None) -> dict[str, str]:
    """Return build arguments that have a value; one without takes that of the environment, which isn't looked at."""
    if part is None:
        return {}
    if part.mapping:
        return {key: text for key, child in part.mapping.items() if (text := text_of(child)) is not None}
    pairs = (str(entry.value).partition("=") for entry in part.entries)
    return {name: value for name, equals, value in pairs if equals}
