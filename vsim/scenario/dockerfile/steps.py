"""From a Dockerfile, its context and a change to the steps of a build, with the time that each takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vsim.model.building import Builder, BuildStage, BuildStep, Duration, Emulator
from vsim.model.quantity import Quantity
from vsim.scenario.dockerfile.context import Context
from vsim.scenario.dockerfile.patterns import BadPattern
from vsim.scenario.dockerfile.platforms import Platform
from vsim.scenario.dockerfile.stages import Builder as BuilderName
from vsim.scenario.dockerfile.stages import Dockerfile, Stage, Step
from vsim.scenario.dockerfile.timings import Timings
from vsim.scenario.units import parse
from vsim.scenario.validation import Refused

__all__ = ["Costs", "build_stages"]

_ANNOTATION = re.compile(r"\s*#\s*x-vsim\s*:\s*(.*?)\s*$")
# What installs packages, in the order of the languages' popularity in Dockerfiles.
_INSTALLS = re.compile(
    r"\b(apt-get|apt|apk|dnf|yum|microdnf|zypper)\b.*\b(install|add|upgrade)\b"
    r"|\bpip3?\b.*\b(install|wheel)\b|\b(poetry|pdm|uv|conda|mamba|pipenv)\b.*\b(install|sync|create)\b"
    r"|\b(npm|pnpm)\b.*\b(install|ci|i)\b|\byarn\b(?!.*\b(run|build|test)\b)"
    r"|\bbundle\b.*\binstall\b|\bgem\b.*\binstall\b|\bcomposer\b.*\binstall\b|\bgo\b.*\b(mod download|get)\b"
    r"|\bcargo\b.*\b(fetch|build|install|chef)\b|\bmvn\b|\bgradlew?\b|\bdotnet\b.*\brestore\b",
    re.DOTALL,
)
_EXECUTES = ("RUN",)


class Costs:
    """Where the durations come from: a measured build, comments in the file, or the profile's `builder`.

    `speed` is that of the machine's core, relative to the reference core; measured times are left as they are.
    """

    def __init__(self, builder: Builder, *, timings: Timings | None = None, speed: float = 1.0) -> None:
        self.builder = builder
        self.timings = timings
        self.speed = speed

    def build(self) -> Duration:
        """Return the time of a build beside its steps and its context."""
        return self._time(self.builder.build_s)

    def context(self, size: int) -> Duration:
        """Return the time of sending a context of `size` bytes to the builder."""
        return self._rate(self.builder.context_bytes_per_s, size, f"{size:,} bytes sent")

    def of(self, step: Step, stage: Stage, size: int) -> Duration:
        """Return the time of `step`, which copies `size` bytes. Raises InputError for an unreadable annotation."""
        instruction = step.instruction
        if self.timings is not None:
            seconds = self.timings.of(
                number=instruction.number,
                line=instruction.line,
                texts=(instruction.shown, step.expanded),
                stage=stage.title,
                platform=str(stage.platform),
            )
            if seconds is not None:
                return Duration.exactly(seconds, "measured")
        annotated = _annotated(step)
        if annotated is not None:
            return Duration.exactly(annotated, "annotated")
        if instruction.keyword in ("COPY", "ADD"):
            return _sum(
                self._time(self.builder.copy_s), self._rate(self.builder.copy_bytes_per_s, size, f"{size:,} bytes")
            )
        if instruction.keyword == "RUN":
            return self._run(step)
        if instruction.keyword == "FROM":
            return Duration.exactly(0.0, "none", "the base image is taken to be there")
        return self._time(self.builder.step_s)

    def _run(self, step: Step) -> Duration:
        text = step.instruction.text + "".join(heredoc.content for heredoc in step.instruction.heredocs)
        installs = _INSTALLS.search(text[:10_000]) is not None
        command = self.builder.install_s if installs else self.builder.command_s
        what = "a command that installs packages" if installs else "a command"
        guess = self._time(command)
        return _sum(self._time(self.builder.run_s), Duration(guess.seconds, guess.low, guess.high, "assumed", what))

    def _time(self, quantity: Quantity) -> Duration:
        return Duration(
            quantity.value / self.speed, quantity.low / self.speed, quantity.high / self.speed, "assumed", quantity.name
        )

    def _rate(self, quantity: Quantity, size: int, why: str) -> Duration:
        rate = self.speed
        return Duration(
            size / quantity.value / rate, size / quantity.high / rate, size / quantity.low / rate, "assumed", why
        )


def build_stages(
    dockerfile: Dockerfile,
    builder: BuilderName,
    costs: Costs,
    *,
    context: Context | None = None,
    changes: Sequence[str] = (),
    emulators: dict[Platform, Emulator] | None = None,
) -> tuple[list[BuildStage], list[str]]:
    """Return the stages that are built, in order, and notes.

    `changes` are files or folders of the context, relative to it. Stages whose platform is among `emulators` are
    slowed down, as far as they run programs. Raises InputError for an annotation or a pattern that can't be read.
    """
    notes: dict[str, None] = dict.fromkeys(dockerfile.notes)
    stages: list[BuildStage] = []
    for number in dockerfile.needed(builder):
        stage = dockerfile.stages[number]
        emulator = (emulators or {}).get(stage.platform)
        steps = [_step(stage.base, stage, costs, None, (), None, notes)]
        steps.extend(_step(step, stage, costs, context, changes, emulator, notes) for step in stage.steps)
        stages.append(BuildStage(number, stage.title, tuple(steps), stage.parent, stage.image))
    return stages, list(notes)


def _step(
    step: Step,
    stage: Stage,
    costs: Costs,
    context: Context | None,
    changes: Sequence[str],
    emulator: Emulator | None,
    notes: dict[str, None],
) -> BuildStep:
    instruction = step.instruction
    copies = instruction.keyword in ("COPY", "ADD") and step.from_stage is None and step.from_image is None
    size = 0
    changed: dict[str, None] = {}
    if context is not None:
        for source, counted in _sources(step, copies):
            try:
                found = context.matching(source)
                if counted:
                    size += sum(context.files[path] for path in found)
                if not found and counted and source not in ("", "."):
                    notes[f"line {instruction.line}: the context has no {source}: a build would stop there"] = None
                changed |= {change: None for change in changes if context.touches(source, change)}
            except BadPattern as bad:
                at = next((word.at for word in step.statement.words if source in word.text), 0)
                raise instruction.error(
                    f"the pattern {source[:60]!r} can't be read: {bad}",
                    at=at,
                    hint="escape the character with a backslash",
                ) from None
    duration = costs.of(step, stage, size)
    executes = instruction.keyword in _EXECUTES
    if executes and emulator is not None:
        factor = emulator.cpu_factor
        duration = duration.times(factor.value, factor.low, factor.high)
    reads = {mount.stage for mount in step.mounts if mount.stage is not None}
    if step.from_stage is not None:
        reads.add(step.from_stage)
    return BuildStep(
        number=instruction.number,
        line=instruction.line,
        text=instruction.shown,
        duration=duration,
        changed=tuple(changed),
        reads=tuple(sorted(reads)),
        independent=step.linked,
        executes=executes,
        bytes=size,
    )


def _sources(step: Step, copies: bool) -> Iterator[tuple[str, bool]]:
    """Yield what a step reads from the context, and whether it is copied (or only mounted)."""
    if copies:
        yield from ((source, True) for source in step.sources)
    yield from ((mount.source, False) for mount in step.mounts if mount.stage is None)


def _annotated(step: Step) -> float | None:
    """Return the seconds of a comment ``# x-vsim: 40 s`` directly above the instruction."""
    for index, line in reversed(step.instruction.comments):
        match = _ANNOTATION.match(line)
        if match is None:
            continue
        try:
            return parse(match[1], "s")
        except Refused as refused:
            from vsim.errors import InputError, Place

            place = Place(step.instruction.file, index + 1, match.start(1) + 1, line)
            raise InputError(str(refused), place=place, hint=refused.hint) from None
    return None


def _sum(one: Duration, other: Duration) -> Duration:
    return Duration(
        one.seconds + other.seconds, one.low + other.low, one.high + other.high, other.source, other.why or one.why
    )
