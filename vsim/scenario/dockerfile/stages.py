"""Build stages: which image or stage each begins with, what its steps read, and which are built for a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vsim.scenario.dockerfile.instructions import Statement
from vsim.scenario.dockerfile.platforms import Platform
from vsim.scenario.dockerfile.text import Instruction

__all__ = ["Builder", "Dockerfile", "Mount", "Stage", "Step"]

Builder = Literal["classic", "buildkit"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A `RUN --mount=type=bind` that reads the context (`stage` None) or a stage; `source` is a path in it."""

    source: str
    stage: int | None


@dataclass(slots=True)
class Step:
    """An instruction of a stage, its variables replaced.

    `sources` are what a COPY or ADD reads from the context, or from the stage `from_stage`; `from_image` is an image
    that it reads instead. `shown` is the instruction as a build's output has it, `expanded` the same with variables
    replaced. `platform_dependent` says that it uses TARGETPLATFORM or one of its kind.
    """

    statement: Statement
    sources: tuple[str, ...] = ()
    from_stage: int | None = None
    from_image: str | None = None
    mounts: tuple[Mount, ...] = ()
    linked: bool = False
    remote: tuple[str, ...] = ()
    expanded: str = ""
    platform_dependent: bool = False

    @property
    def instruction(self) -> Instruction:
        """The instruction as it stands in the file."""
        return self.statement.instruction


@dataclass(slots=True)
class Stage:
    """A stage: the image it begins with, or the earlier stage; its name, or its number; its platform."""

    number: int
    name: str | None
    base: Step
    image: str | None
    parent: int | None
    platform: Platform
    steps: list[Step] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    platform_dependent: bool = False

    @property
    def title(self) -> str:
        """Its name, else what BuildKit calls it."""
        return self.name or f"stage-{self.number}"

    def reads(self) -> set[int]:
        """Return the numbers of the stages that this one needs, directly."""
        found = set() if self.parent is None else {self.parent}
        for step in self.steps:
            found.update({step.from_stage} - {None})  # type: ignore[arg-type]  # None is taken out
            found.update(mount.stage for mount in step.mounts if mount.stage is not None)
        return found


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile for one target platform; `globals` are what comes before the first FROM, `notes` may surprise."""

    file: str
    stages: tuple[Stage, ...]
    target: int
    globals: tuple[Step, ...]
    notes: tuple[str, ...]

    def needed(self, builder: Builder) -> tuple[int, ...]:
        """Return the stages that are built, in an order in which each follows those that it reads.

        The classic builder takes all up to the target, BuildKit those that the target needs.
        """
        if builder == "classic":
            return tuple(range(self.target + 1))
        order: list[int] = []
        ahead = [(self.target, False)]
        while ahead:
            number, done = ahead.pop()
            if done:
                order.append(number)
            elif number not in order:
                ahead.append((number, True))
                ahead.extend((other, False) for other in sorted(self.stages[number].reads() - set(order), reverse=True))
        return tuple(dict.fromkeys(order))
