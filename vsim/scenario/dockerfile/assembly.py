"""From the instructions of a Dockerfile to its stages: variables replaced, stages found by their names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from vsim.scenario.dockerfile.instructions import Statement, Word, parse
from vsim.scenario.dockerfile.platforms import Platform
from vsim.scenario.dockerfile.stages import Builder, Dockerfile, Mount, Stage, Step
from vsim.scenario.dockerfile.text import Instruction, read_source
from vsim.scenario.dockerfile.words import Bad, expand, shown

__all__ = ["read_dockerfile"]

# Usable without an ARG, and without a place in the cache key (Dockerfile reference, "Predefined ARGs").
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
_REMOTE = re.compile(r"(https?|git|ssh|ftp)://|git@", re.IGNORECASE)


def read_dockerfile(
    path: Path | str,
    text: str | None = None,
    *,
    builder: Builder = "buildkit",
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: Platform | None = None,
    build_platform: Platform | None = None,
) -> Dockerfile:
    """Read the Dockerfile at `path` (or `text`) as it would be built for `platform` on `build_platform`.

    Raises InputError, with file, line and column and a hint, for whatever the builder would refuse.
    """
    own = build_platform or Platform.of("linux/amd64")
    source = read_source(path, text)
    assembler = _Assembler(builder, dict(build_args or {}), platform or own, own)
    for instruction in source.instructions:
        assembler.add(parse(instruction))
    return assembler.dockerfile(source.file, source.instructions, target)


class _Assembler:
    def __init__(
        self, builder: Builder, build_args: dict[str, str], platform: Platform, build_platform: Platform
    ) -> None:
        self._builder = builder
        self._build_args = build_args
        self._platform = platform
        self._build_platform = build_platform
        self._automatic = {} if builder == "classic" else _automatic(platform, build_platform)
        self._globals: dict[str, str] = {}
        self._global_steps: list[Step] = []
        self._stages: list[Stage] = []
        self._forward: list[tuple[Step, Word | None, str, int | None]] = []
        self._declared: set[str] = set()
        self._notes: dict[str, None] = {}

    # -- one instruction after another ---------------------------------------------------------------------------------

    def add(self, statement: Statement) -> None:
        instruction = statement.instruction
        if statement.keyword == "FROM":
            self._from(statement)
            return
        step = Step(statement, expanded=instruction.shown)
        if not self._stages:
            if statement.keyword != "ARG":
                raise instruction.error(
                    f"{statement.keyword} comes before the first FROM",
                    hint="only ARG may; a Dockerfile begins with `FROM`",
                )
            self._global_arguments(step)
            return
        stage = self._stages[-1]
        stage.steps.append(step)
        self._check_builder(statement)
        if statement.keyword == "ARG":
            self._arguments(stage, step)
        elif statement.keyword == "ENV":
            # all values of one ENV see the variables as they were before it
            before = self._variables(stage)
            for name, value in statement.pairs:
                assert value is not None
                stage.environment[self._expand(step, name, before)] = self._expand(step, value, before)
        elif statement.keyword in ("COPY", "ADD"):
            self._copy(stage, step)
        elif statement.keyword == "RUN":
            self._run(stage, step)
        elif statement.keyword in ("EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"):
            values = [*statement.words, *(value for _, value in statement.pairs if value is not None)]
            for word in values:
                self._expand(step, word, self._variables(stage))

    def _from(self, statement: Statement) -> None:
        words = statement.words
        step = Step(statement, expanded=statement.instruction.shown)
        variables = {**self._automatic, **self._globals}
        reference = self._expand(step, words[0], variables)
        if not reference:
            raise statement.instruction.error(
                f"the name of the base image, {words[0].text[:40]!r}, comes out empty",
                at=words[0].at,
                hint="give its ARG a default before the first FROM",
            )
        name = words[2].text.lower() if len(words) == 3 else None
        parent = self._earlier(reference)
        if name is not None and self._builder == "classic" and self._named(name) is not None:
            raise statement.instruction.error(
                f"there is a stage {name!r} already", at=words[2].at, hint="give this one a name of its own"
            )
        flag = statement.flag("platform")
        if flag is not None:
            platform = self._stated_platform(step, flag.value, flag.at, variables)
        else:
            platform = self._platform if parent is None else self._stages[parent].platform
        stage = Stage(len(self._stages), name, step, None if parent is not None else reference, parent, platform)
        step.expanded = step.expanded.replace(words[0].text, reference, 1)
        step.platform_dependent = any(
            f"TARGET{part}" in words[0].text for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
        )
        stage.platform_dependent = step.platform_dependent
        if parent is not None:
            above = self._stages[parent]
            stage.environment = dict(above.environment)
            if self._builder == "buildkit":
                stage.arguments = dict(above.arguments)
            stage.platform_dependent = stage.platform_dependent or above.platform_dependent
        self._stages.append(stage)

    def _stated_platform(self, step: Step, text: str, at: int, variables: Mapping[str, str]) -> Platform:
        value = self._expand(step, Word(text, at), variables)
        try:
            return Platform.of(value)
        except ValueError as error:
            raise step.instruction.error(
                str(error), at=at, hint="write `--platform=linux/arm64`, or $BUILDPLATFORM (which BuildKit sets)"
            ) from None

    def _global_arguments(self, step: Step) -> None:
        self._global_steps.append(step)
        for name, default in step.statement.pairs:
            key = self._declare(step, name, {})
            value = self._build_args.get(key)
            if value is None and default is not None:
                value = self._expand(step, default, {**self._automatic, **self._globals})
            if value is not None:
                self._globals[key] = value

    def _arguments(self, stage: Stage, step: Step) -> None:
        for name, default in step.statement.pairs:
            variables = self._variables(stage)
            key = self._declare(step, name, variables)
            value = self._build_args.get(key)
            if value is None and default is not None:
                value = self._expand(step, default, variables)
            if value is None:
                value = self._globals.get(key, self._automatic.get(key))
            if value is not None:
                stage.arguments[key] = value
            if key.startswith("TARGET") and key in self._automatic:
                step.platform_dependent = stage.platform_dependent = True

    def _declare(self, step: Step, name: Word, variables: Mapping[str, str]) -> str:
        key = self._expand(step, name, variables)
        self._declared.add(key)
        return key

    def _copy(self, stage: Stage, step: Step) -> None:
        statement = step.statement
        words = list(statement.words)
        variables = self._variables(stage)
        texts = [self._expand(step, word, variables) for word in words]
        documents = {f"<<{h.name}" for h in statement.instruction.heredocs}
        sources = [
            text
            for word, text in zip(words[:-1], texts[:-1], strict=True)
            if word.text.replace("<<-", "<<").translate({ord("'"): None, ord('"'): None}) not in documents
        ]
        if statement.keyword == "ADD":
            step.remote = tuple(source for source in sources if _REMOTE.match(source))
            sources = [source for source in sources if source not in step.remote]
        flags = " ".join(f"--{flag.name}={flag.value}" for flag in statement.flags)
        step.expanded = " ".join(part for part in (statement.keyword, flags, *texts) if part)
        step.linked = statement.flag("link") is not None
        origin = statement.flag("from")
        if origin is not None:
            name = self._expand(step, Word(origin.value, origin.at), variables)
            self._forward.append((step, Word(name, origin.at), "", stage.number))
        step.sources = tuple(self._source(step, source, words, outside=origin is None) for source in sources)

    def _source(self, step: Step, source: str, words: list[Word], *, outside: bool) -> str:
        """Return a source as a path relative to the root of what it is copied from."""
        # with ` as the escape character a backslash separates folders, as on Windows
        plain = source.replace("\\", "/") if step.instruction.escape == "`" else source
        clean = posixpath.normpath(f"/{plain}")
        if outside and self._builder == "classic" and _leaves(source):
            at = next((word.at for word in words if source in word.text), 0)
            raise step.instruction.error(
                f"{source[:60]!r} lies outside the build context",
                at=at,
                hint="copy what it needs into the context's folder",
            )
        return clean.lstrip("/")

    def _run(self, stage: Stage, step: Step) -> None:
        variables = self._variables(stage)
        step.expanded = " ".join(shown(step.expanded, variables, step.instruction.escape).split())
        mounts: list[Mount] = []
        for mount in step.statement.mounts():
            if mount.get("type", "bind").lower() not in ("bind", "cache"):
                continue
            path = posixpath.normpath("/" + self._plain(mount.get("source", mount.get("src", "")), variables)).lstrip(
                "/"
            )
            origin = self._plain(mount.get("from", ""), variables)
            if origin:
                self._forward.append((step, Word(origin, 0), path, stage.number))
            elif mount.get("type", "bind").lower() == "bind":
                mounts.append(Mount(path, None))
        step.mounts = tuple(mounts)

    def _plain(self, text: str, variables: Mapping[str, str]) -> str:
        try:
            return expand(text, variables, "\\")
        except Bad:
            return text

    def _check_builder(self, statement: Statement) -> None:
        """Refuse what only BuildKit knows where the classic builder is asked about."""
        if self._builder != "classic":
            return
        flag = next((flag for flag in statement.flags if flag.buildkit), None)
        if flag is not None:
            raise statement.instruction.error(
                f"the classic builder has no --{flag.name}", at=flag.at, hint="ask about BuildKit: --builder buildkit"
            )
        if statement.instruction.heredocs:
            raise statement.instruction.error(
                "the classic builder has no here-documents", hint="ask about BuildKit: --builder buildkit"
            )

    # -- variables -----------------------------------------------------------------------------------------------------

    def _variables(self, stage: Stage) -> dict[str, str]:
        proxies = {name: value for name, value in self._build_args.items() if name.upper() in _PROXIES}
        return {**proxies, **stage.arguments, **stage.environment}

    def _expand(self, step: Step, word: Word, variables: Mapping[str, str]) -> str:
        def unset(name: str) -> None:
            line = step.instruction.place(word.at).line
            self._notes[f"line {line}: ${name} isn't set here, so it is empty (a base image may set it)"] = None

        try:
            return expand(word.text, variables, step.instruction.escape, unset=unset)
        except Bad as bad:
            raise step.instruction.error(str(bad), at=word.at + bad.at, hint=bad.hint) from None

    # -- stages by name ------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> int | None:
        found = [stage.number for stage in self._stages if stage.name == name.lower()]
        return found[-1] if found else None

    def _earlier(self, reference: str) -> int | None:
        """Return the earlier stage of that name, if there is one; FROM doesn't know stages by number."""
        return self._named(reference)

    def _resolve(self) -> None:
        """Find the stages that COPY and mounts name: BuildKit knows later ones, too."""
        for step, word, path, number in self._forward:
            assert word is not None
            assert number is not None
            stage = self._stage_of(word.text, number)
            if word.text.isdigit() and stage is None and not path:
                raise step.instruction.error(
                    f"there is no stage {word.text[:20]} before this one", at=word.at, hint="stages are counted from 0"
                )
            if stage == number:
                raise step.instruction.error(
                    "a stage can't copy from itself", at=word.at, hint="name an earlier stage, or an image"
                )
            if path or step.statement.keyword == "RUN":
                if stage is not None:
                    step.mounts = (*step.mounts, Mount(path, stage))
            elif stage is None:
                step.from_image = word.text
            else:
                step.from_stage = stage

    def _stage_of(self, name: str, number: int) -> int | None:
        named = [stage.number for stage in self._stages if stage.name == name.lower()]
        if self._builder == "classic":
            named = [one for one in named if one < number]
        if named:
            return named[-1]
        if name.isdigit() and len(name) < 6 and int(name) < number:
            return int(name)
        return None

    # -- the whole -----------------------------------------------------------------------------------------------------

    def dockerfile(self, file: str, instructions: tuple[Instruction, ...], target: str | None) -> Dockerfile:
        if not self._stages:
            raise instructions[-1].error("there is no FROM", hint="a build stage begins with `FROM IMAGE`")
        self._resolve()
        number = len(self._stages) - 1
        if target is not None:
            found = self._named(target)
            if found is None and target.isdigit() and len(target) < 6 and int(target) < len(self._stages):
                found = int(target)
            if found is None:
                from vsim.errors import InputError, Place
                from vsim.scenario.validation import did_you_mean, listed

                names = [stage.name for stage in self._stages if stage.name]
                hint = did_you_mean(target, names) or (
                    f"there are {listed(names, 'and')}" if names else "no stage has a name"
                )
                raise InputError(f"there is no stage {target!r}", place=Place(file), hint=hint)
            number = found
        self._refuse_circles()
        for name in self._build_args:
            if name not in self._declared and name.upper() not in _PROXIES:
                self._notes[f"the build argument {name} isn't declared by an ARG, so nothing uses it"] = None
        return Dockerfile(file, tuple(self._stages), number, tuple(self._global_steps), tuple(self._notes))

    def _refuse_circles(self) -> None:
        state: dict[int, bool] = {}  # False while it is being followed
        for begin in range(len(self._stages)):
            ahead = [(begin, False)]
            while ahead:
                number, done = ahead.pop()
                if done:
                    state[number] = True
                    continue
                if number in state:
                    continue
                state[number] = False
                ahead.append((number, True))
                for other in sorted(self._stages[number].reads()):
                    if state.get(other) is False:
                        stage = self._stages[number]
                        culprit = next((s for s in stage.steps if s.from_stage == other), stage.base)
                        raise culprit.instruction.error(
                            f"the stages {stage.title} and {self._stages[other].title} need each other",
                            hint="a stage can only use what is built without it",
                        )
                    ahead.append((other, False))


def _automatic(target: Platform, build: Platform) -> dict[str, str]:
    """Return the variables that BuildKit sets (Dockerfile reference, "Automatic platform ARGs in the global scope")."""
    found: dict[str, str] = {}
    for prefix, platform in (("TARGET", target), ("BUILD", build)):
        found |= {
            f"{prefix}PLATFORM": str(platform),
            f"{prefix}OS": platform.system,
            f"{prefix}ARCH": platform.architecture,
            f"{prefix}VARIANT": platform.variant,
        }
    return found


def _leaves(source: str) -> bool:
    depth = 0
    for part in source.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False
