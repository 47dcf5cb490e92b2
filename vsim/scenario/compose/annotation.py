"""A compose project as the data of a scenario file: what is read there and what is annotated with ``x-vsim:`` together.

The scenario's own model then checks it, and complains at the place where the user wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vsim.errors import InputError, Place
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import ComposeProject
from vsim.scenario.document import Document
from vsim.scenario.validation import did_you_mean, listed, shown

__all__ = ["OF_ORCHESTRATION", "AnnotatedDocument", "check_annotations", "trace_of", "unreadable"]

# What a project's and a service's annotation may state; the rest of a scenario file is what compose files state.
OF_PROJECT = ("title", "architectures", "fleet", "start", "run", "incidents", "reliability", "sweep")
OF_SERVICE = (
    *("image", "memory", "memory_cv", "memory_touched", "shareable", "cpu", "cpu_limit", "startup"),
    *("request", "arrivals", "slo", "disk_path", "network_mode", "needs", "requires"),
)
# What a service's annotation may state besides: about bringing it up and taking it down.
OF_ORCHESTRATION = ("healthcheck", "stop")


class AnnotatedDocument(Document):
    """The data of a scenario file, made of a project; a place in it is that of the annotation or of the service."""

    __slots__ = ("_names", "_project")

    def __init__(self, project: ComposeProject, data: Any, names: Mapping[str, str]) -> None:
        self.file = project.files[0]
        self.data = data
        self._project = project
        self._names = names

    def with_data(self, data: Any) -> AnnotatedDocument:
        """Return a document with other data and the same places."""
        return AnnotatedDocument(self._project, data, self._names)

    def place(self, loc: Sequence[str | int] = ()) -> Place:
        """Return the place of the annotated value at `loc`, or of the service or the file that it belongs to."""
        return self._find(loc, key=False)

    def key_place(self, loc: Sequence[str | int]) -> Place:
        """Return the place of the key that `loc` ends with."""
        return self._find(loc, key=True)

    def _find(self, loc: Sequence[str | int], *, key: bool) -> Place:
        annotation: Part | None = self._project.annotation
        if len(loc) > 1 and loc[0] == "services" and loc[1] in self._names:
            service = self._project.services[self._names[str(loc[1])]]
            annotation, loc = service.annotation, loc[2:]
            if service.place is not None and (not loc or annotation is None or loc[0] not in annotation.mapping):
                return service.place
        if annotation is None:
            return Place(self.file, 1, 1)
        return annotation.at(loc).place(key=key and bool(loc))


def check_annotations(project: ComposeProject) -> None:
    """Raise InputError for a key of an annotation that isn't known."""
    of_service = (*OF_SERVICE, *OF_ORCHESTRATION)
    _check(project.annotation, OF_PROJECT, "the file's `x-vsim`", of_service, "a service")
    for service in project.services.values():
        _check(service.annotation, of_service, f"`x-vsim` of {service.name!r}", OF_PROJECT, "the file")


def _check(annotation: Part | None, known: Sequence[str], where: str, elsewhere: Sequence[str], whose: str) -> None:
    if annotation is None:
        return
    if not isinstance(annotation.value, dict):
        raise annotation.error(
            f"{where} must be a mapping of keys and values, not {shown(annotation.plain())}",
            f"the keys here are {listed(known, 'and')}",
        )
    for key, part in annotation.mapping.items():
        if key in known:
            continue
        hint = did_you_mean(key, known) or f"the keys here are {listed(known, 'and')}"
        if key == "replicas":
            hint = "compose has a key for that: `deploy: {replicas: 3}`"
        elif key in elsewhere:
            hint = f"it goes into the `x-vsim` of {whose}"
        raise part.error(f"unknown key {shown(key)} in {where}", hint, key=True)


def trace_of(annotation: Part | None) -> Part | None:
    """Return the path of a recorded trace that an annotation names, if it does."""
    arrivals = annotation.get("arrivals") if annotation is not None else None
    return arrivals.get("trace") if arrivals is not None else None


def unreadable(part: Part) -> InputError:
    """Return the error about a trace that an annotation names."""
    return part.error(
        "an annotation can't name a trace", "state `kind` and `rate`, or write a scenario file, which may name one"
    )
