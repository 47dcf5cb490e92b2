"""Building images with a layer cache: which steps run again after a change, and how long that takes.

A builder keeps the result of every step. A step is taken from the cache if it reads the same as before: the result of
the step below it, and for COPY and ADD the content of the files; what a command in RUN would do now isn't looked at.
After the first step of a stage that runs again, all do. (`Docker documentation, "Build cache invalidation"
<https://docs.docker.com/build/cache/invalidation/>`_.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vsim.model.quantity import Quantity

__all__ = ["BuildStage", "BuildStep", "Builder", "Duration", "Emulator", "Rebuild", "elapsed_s", "rebuild"]

DurationSource = Literal["measured", "annotated", "assumed", "none"]


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a step takes when it runs, in seconds, with an interval, and where that is known from."""

    seconds: float
    low: float
    high: float
    source: DurationSource
    why: str = ""

    @classmethod
    def exactly(cls, seconds: float, source: DurationSource, why: str = "") -> Duration:
        """Return a duration without an interval."""
        return cls(seconds, seconds, seconds, source, why)

    def times(self, factor: float, low: float | None = None, high: float | None = None) -> Duration:
        """Return the duration at `factor`, whose own interval is `low` to `high`."""
        lowest, highest = factor if low is None else low, factor if high is None else high
        return Duration(self.seconds * factor, self.low * lowest, self.high * highest, self.source, self.why)


@dataclass(frozen=True, slots=True)
class BuildStep:
    """A step of a stage: its line in the file, its text, its duration; the changed files among those that it reads.

    `reads` are the stages that it copies from or mounts. An `independent` step (``COPY --link``) doesn't run again
    because one below it does. `executes` says that it runs a program of the image: on a foreign processor, emulated.
    """

    number: int
    line: int
    text: str
    duration: Duration
    changed: tuple[str, ...] = ()
    reads: tuple[int, ...] = ()
    independent: bool = False
    executes: bool = False
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class BuildStage:
    """A stage: the steps after its base, which is the image `image` or the stage `parent`."""

    number: int
    title: str
    steps: tuple[BuildStep, ...]
    parent: int | None = None
    image: str | None = None

    def needs(self) -> frozenset[int]:
        """Return the stages that it needs, directly."""
        below = () if self.parent is None else (self.parent,)
        return frozenset((*below, *(stage for step in self.steps for stage in step.reads)))


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What a build after a change does: the reason for every step that runs again, by the step's number."""

    reasons: Mapping[int, str] = field(default_factory=dict)

    def runs(self, step: BuildStep) -> bool:
        """Return whether the step runs again."""
        return step.number in self.reasons


def rebuild(stages: Sequence[BuildStage]) -> Rebuild:
    """Return what runs again, of stages in an order in which each follows those that it needs."""
    reasons: dict[int, str] = {}
    changed: dict[int, str] = {}  # stages whose result is another one, by number: their titles
    for stage in stages:
        below = None
        if stage.parent in changed:
            assert stage.parent is not None
            below = f"the stage {changed[stage.parent]} before it is built again"
        for step in stage.steps:
            reason = None
            if below is not None and not step.independent:
                reason = below
            elif step.changed:
                more = f" and {len(step.changed) - 1} more" if len(step.changed) > 1 else ""
                reason = f"{step.changed[0]}{more} changed"
            else:
                source = next((changed[number] for number in step.reads if number in changed), None)
                if source is not None:
                    reason = f"the stage {source} that it copies from is built again"
            if reason is not None:
                reasons[step.number] = reason
                changed[stage.number] = stage.title
                below = f"the step in line {step.line} runs again"
        if below is not None:
            changed[stage.number] = stage.title
    return Rebuild(reasons)


def elapsed_s(stages: Sequence[BuildStage], seconds: Mapping[int, float], *, parallel: bool) -> float:
    """Return how long steps that take `seconds` (by their number) need together.

    One after another; `parallel`: each stage as soon as what it needs is there, as BuildKit does, with cores for all.
    The stages come in an order in which each follows those that it needs.
    """
    if not parallel:
        return sum(seconds.get(step.number, 0.0) for stage in stages for step in stage.steps)
    ends: dict[int, float] = {}
    for stage in stages:
        now = 0.0 if stage.parent is None else ends.get(stage.parent, 0.0)
        for step in stage.steps:
            now = max([now, *(ends.get(number, 0.0) for number in step.reads)]) + seconds.get(step.number, 0.0)
        ends[stage.number] = now
    return max(ends.values(), default=0.0)


@dataclass(frozen=True, slots=True)
class Builder:
    """A builder's own costs, in seconds and bytes per second on the reference core; and guesses for what it runs.

    `build_s` is what a build takes of which everything is cached; `context_bytes_per_s` is the context being sent;
    `step_s` a step that changes settings only; `copy_s` and `copy_bytes_per_s` a COPY; `run_s` a RUN beside its command
    (a container made, started, its changes kept); `install_s` a command that installs packages and `command_s` another
    one, where nothing better is known.
    """

    name: str
    title: str
    build_s: Quantity
    context_bytes_per_s: Quantity
    step_s: Quantity
    copy_s: Quantity
    copy_bytes_per_s: Quantity
    run_s: Quantity
    install_s: Quantity
    command_s: Quantity


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator of a foreign processor for programs: how many times longer CPU work takes."""

    name: str
    title: str
    cpu_factor: Quantity
