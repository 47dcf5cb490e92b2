"""What a build with a cache does after a change, on one platform or several, and how long that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsim.calibration.profile import Profile
from vsim.errors import InputError
from vsim.model.building import BuildStage, BuildStep, Duration, Emulator, Rebuild, elapsed_s, rebuild
from vsim.model.machine import Machine
from vsim.scenario.dockerfile import NATIVE, Context, Costs, Platform, build_stages, read_dockerfile, read_timings
from vsim.scenario.dockerfile.stages import Builder, Dockerfile
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["BuildModel", "BuildRequest", "PlatformBuild", "Span", "model_build"]


@dataclass(frozen=True, slots=True)
class Span:
    """A time in seconds, with an interval."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What is asked: a Dockerfile, its context, what changes, for which platforms, on which machine."""

    dockerfile: Path
    context: Path | None = None
    changes: Sequence[str] = ()
    builder: Builder = "buildkit"
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platforms: Sequence[str] = ()
    machine: str = "rack-server"
    timings: Path | None = None


@dataclass(frozen=True, slots=True)
class PlatformBuild:
    """The build for one platform: its stages, what runs again, and the times, without the context's.

    `emulator` is None where the machine runs the platform's programs itself; `own` are the steps that no other platform
    of the request has done already, by number.
    """

    platform: Platform
    emulator: Emulator | None
    stages: tuple[BuildStage, ...]
    after: Rebuild
    cold: Span
    warm: Span
    own: frozenset[int]

    def steps(self) -> list[tuple[BuildStage, BuildStep]]:
        """Return all steps with their stages, in the order in which they are built."""
        return [(stage, step) for stage in self.stages for step in stage.steps]


@dataclass(frozen=True, slots=True)
class BuildModel:
    """The answer: one build a platform, the whole with the context and what a build takes beside its steps.

    `cold` is a build with nothing in the cache, `warm` one after the change. For several platforms the times are those
    of one after another, what they have in common done once.
    """

    request: BuildRequest
    builds: tuple[PlatformBuild, ...]
    beside: Duration
    context: Duration
    context_bytes: int
    cold: Span
    warm: Span
    notes: tuple[str, ...]
    parameters: Mapping[str, Sequence[str]]


def model_build(request: BuildRequest, profile: Profile) -> BuildModel:
    """Return what the build of `request` does, with the costs of `profile`.

    Raises InputError, with file, line and column, for whatever a builder would refuse, a platform that can't be
    emulated, and a machine that the profile doesn't have.
    """
    machine = profile.machines.get(request.machine)
    if machine is None:
        hint = did_you_mean(request.machine, profile.machines) or f"the profile has {listed(profile.machines, 'and')}"
        raise InputError(f"there is no machine {request.machine!r}", hint=hint)
    native = _native(machine)
    own = native[0]
    platforms = list(dict.fromkeys(_platform(text) for text in request.platforms)) or [own]
    costs = Costs(
        profile.builders["classic-builder" if request.builder == "classic" else "buildkit"],
        timings=None if request.timings is None else read_timings(request.timings),
        speed=machine.core_speed.value,
    )
    if request.builder == "classic" and len(platforms) > 1:
        raise InputError(
            "the classic builder builds for one platform at a time", hint="ask about BuildKit: --builder buildkit"
        )
    files = [_read(request, platform, own) for platform in platforms]
    named = request.dockerfile if request.builder == "buildkit" else None
    context = Context(request.context or request.dockerfile.parent, dockerfile=named)
    changes = [context.relative(change) for change in request.changes]
    notes: dict[str, None] = {}
    if not context.complete:
        notes["the context has more than 200,000 files: the sums leave some out (add a .dockerignore)"] = None
    for change in changes:
        if change and context.ignored.excludes(change) and not any(p.startswith(f"{change}/") for p in context.files):
            notes[f"{change} is ignored (.dockerignore): no step reads it"] = None
    builds: list[PlatformBuild] = []
    done: set[tuple[object, ...]] = set()
    used: dict[str, Emulator] = {}
    for platform, dockerfile in zip(platforms, files, strict=True):
        emulators = _emulators(dockerfile, request.builder, native, profile)
        used |= {emulator.name: emulator for emulator in emulators.values()}
        stages, told = build_stages(
            dockerfile, request.builder, costs, context=context, changes=changes, emulators=emulators
        )
        notes |= dict.fromkeys(told)
        builds.append(_platform_build(platform, emulators.get(platform), dockerfile, stages, done, request.builder))
    read = {change for build in builds for _, step in build.steps() for change in step.changed}
    for change in changes:
        if change not in read and not any(note.startswith(f"{change} is ignored") for note in notes):
            notes[f"no step reads {change or 'the context'}"] = None
    beside, sent = costs.build(), costs.context(context.bytes)
    resent = _resent(sent, context, changes, costs, request.builder)
    return BuildModel(
        request,
        tuple(builds),
        beside,
        sent,
        context.bytes,
        _total(builds, (beside, sent), request.builder, again=False),
        _total(builds, (beside, resent), request.builder, again=True),
        tuple(notes),
        _parameters(costs, used),
    )


def _read(request: BuildRequest, platform: Platform, own: Platform) -> Dockerfile:
    return read_dockerfile(
        request.dockerfile,
        builder=request.builder,
        build_args=request.build_args,
        target=request.target,
        platform=platform,
        build_platform=own,
    )


def _platform(text: str) -> Platform:
    try:
        return Platform.of(text)
    except ValueError as error:
        raise InputError(f"--platform: {error}", hint="write linux/amd64, linux/arm64 or linux/arm/v7") from None


def _native(machine: Machine) -> list[Platform]:
    """Return the platforms that the machine runs itself, its own one first."""
    names = [name for capability, found in NATIVE.items() if capability in machine.offers for name in found]
    if not names:
        raise InputError(
            f"the profile doesn't say what kind of processor {machine.name} has",
            hint=f"add {listed(NATIVE)} to its `offers`",
        )
    return [Platform.of(name) for name in names]


def _emulators(
    dockerfile: Dockerfile, builder: Builder, native: Sequence[Platform], profile: Profile
) -> dict[Platform, Emulator]:
    """Return the emulator for each platform of a stage that the machine doesn't run itself."""
    found: dict[Platform, Emulator] = {}
    for number in dockerfile.needed(builder):
        stage = dockerfile.stages[number]
        if stage.platform in native or stage.platform in found:
            continue
        name = str(stage.platform).replace("/", "-")
        emulator = profile.emulators.get(name)
        if emulator is None:
            runs = any(step.instruction.keyword == "RUN" for step in stage.steps)
            if not runs:
                continue
            known = [one.replace("-", "/", 2) for one in profile.emulators]
            raise stage.base.instruction.error(
                f"nothing is known about emulating {stage.platform} on {native[0]}",
                hint=f"there are measurements for {listed(known, 'and')}; others go into a profile, under `emulators`",
            )
        found[stage.platform] = emulator
    return found


def _platform_build(
    platform: Platform,
    emulator: Emulator | None,
    dockerfile: Dockerfile,
    stages: Sequence[BuildStage],
    done: set[tuple[object, ...]],
    builder: Builder,
) -> PlatformBuild:
    after = rebuild(stages)
    own: set[int] = set()
    for stage in stages:
        described = dockerfile.stages[stage.number]
        # a stage for the build's own platform that doesn't ask for the target's is the same for all of them
        key = (stage.number, described.platform, platform if described.platform_dependent else None)
        if key not in done:
            done.add(key)
            own.update(step.number for step in stage.steps)
    parallel = builder == "buildkit"
    return PlatformBuild(
        platform,
        emulator,
        tuple(stages),
        after,
        _span(stages, {step.number for stage in stages for step in stage.steps}, parallel=parallel),
        _span(stages, set(after.reasons), parallel=parallel),
        frozenset(own),
    )


def _span(stages: Sequence[BuildStage], numbers: set[int], *, parallel: bool) -> Span:
    """Return how long the steps `numbers` take together."""
    found: list[float] = []
    for end in ("seconds", "low", "high"):
        seconds = {
            step.number: float(getattr(step.duration, end))
            for stage in stages
            for step in stage.steps
            if step.number in numbers
        }
        found.append(elapsed_s(stages, seconds, parallel=parallel))
    return Span(*found)


def _total(builds: Sequence[PlatformBuild], before: Sequence[Duration], builder: Builder, *, again: bool) -> Span:
    """Return the whole: what comes before, and the platforms one after another, without what another one has done."""
    spans = [Span(one.seconds, one.low, one.high) for one in before]
    for build in builds:
        numbers = set(build.own)
        if again:
            numbers &= set(build.after.reasons)
        spans.append(_span(build.stages, numbers, parallel=builder == "buildkit"))
    return Span(sum(span.seconds for span in spans), sum(span.low for span in spans), sum(span.high for span in spans))


def _resent(sent: Duration, context: Context, changes: Sequence[str], costs: Costs, builder: Builder) -> Duration:
    """Return the time of sending the context again: all of it to the classic builder, to BuildKit what has changed."""
    if builder == "classic":
        return sent
    size = sum(
        length
        for path, length in context.files.items()
        if any(path == c or not c or path.startswith(f"{c}/") for c in changes)
    )
    return costs.context(size)


def _parameters(costs: Costs, emulators: Mapping[str, Emulator]) -> dict[str, list[str]]:
    from vsim.model.quantity import quantities

    found: dict[str, dict[str, None]] = {}
    for quantity in quantities((costs.builder, *emulators.values())):
        found.setdefault(quantity.source.kind, {})[quantity.name] = None
    return {kind: list(names) for kind, names in found.items()}
