"""What each instruction of a Dockerfile may say, checked as its builder would, and what of it the model uses.

After BuildKit's ``frontend/dockerfile/instructions`` and the Dockerfile reference
(https://docs.docker.com/reference/dockerfile/).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsim.errors import InputError
from vsim.scenario.dockerfile.text import Instruction
from vsim.scenario.dockerfile.words import split_quoted
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["Flag", "Statement", "Word", "parse"]

# Flags: those with a value, and switches. The first group is taken by every builder, the second by BuildKit only.
_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "FROM": ("platform",),
        "COPY": ("from", "chown"),
        "ADD": ("chown",),
        "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    }
)
_BUILDKIT_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "COPY": ("chmod", "exclude"),
        "ADD": ("chmod", "checksum", "exclude"),
        "RUN": ("mount", "network", "security", "device"),
    }
)
_BUILDKIT_SWITCHES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"COPY": ("link", "parents"), "ADD": ("link", "keep-git-dir", "unpack")}
)
_REPEATED = ("mount", "exclude", "device")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_GO_DURATION = re.compile(
    r"[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*|0"
)
_PORT = re.compile(r"\d+(-\d+)?(/[A-Za-z]+)?")
_MOUNTS = ("bind", "cache", "tmpfs", "secret", "ssh")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an instruction, and where in its text it begins."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag like ``--from=build``; `value` is empty for a switch that is on."""

    name: str
    value: str
    at: int
    buildkit: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A checked instruction: its flags, and its arguments as words (one word for a command line of the shell).

    `pairs` are the names and values of ARG, ENV and LABEL; an ARG without a default has the value None. `body` is where
    the arguments begin in the instruction's text; `exec_form` says that they are a JSON list.
    """

    instruction: Instruction
    flags: tuple[Flag, ...] = ()
    words: tuple[Word, ...] = ()
    pairs: tuple[tuple[Word, Word | None], ...] = ()
    body: int = 0
    exec_form: bool = False

    @property
    def keyword(self) -> str:
        """The instruction's keyword."""
        return self.instruction.keyword

    def flag(self, name: str) -> Flag | None:
        """Return the flag `name`, if it is given; the last one, if it is given more than once."""
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)

    def mounts(self) -> Iterator[dict[str, str]]:
        """Yield what each ``--mount`` of a RUN says, by key."""
        for flag in self.flags:
            if flag.name == "mount":
                pairs = (part.partition("=") for part in flag.value.split(","))
                yield {"type": "bind", **{key.strip().lower(): value for key, _, value in pairs}}


def parse(instruction: Instruction) -> Statement:
    """Return the instruction with its arguments. Raises InputError at its place for what a builder would refuse."""
    flags, body = _flags(instruction)
    rest = instruction.text[body:]
    words, exec_form = _json(instruction, rest, body)
    keyword = instruction.keyword
    if keyword in ("ENV", "LABEL", "ARG"):
        return Statement(instruction, flags, (), tuple(_pairs(instruction, rest, body)), body)
    if not exec_form:
        words = _words(keyword, rest, body)
    statement = Statement(instruction, flags, words, (), body, exec_form)
    _CHECKS.get(keyword, _nothing)(statement)
    return statement


def _flags(instruction: Instruction) -> tuple[tuple[Flag, ...], int]:
    """Return the flags before the arguments, and where these begin."""
    keyword, text = instruction.keyword, instruction.text
    plain = _VALUES.get(keyword, ())
    values = (*plain, *_BUILDKIT_VALUES.get(keyword, ()))
    switches = _BUILDKIT_SWITCHES.get(keyword, ())
    found: list[Flag] = []
    body = 0
    if not text.startswith("--"):
        return (), 0
    for at, word in split_quoted(text, instruction.escape):
        if not word.startswith("--"):
            return tuple(found), at
        body = at + len(word)
        if word == "--":
            return tuple(found), body + len(text[body:]) - len(text[body:].lstrip())
        name, equals, value = word[2:].partition("=")
        if name not in (*values, *switches):
            known = [f"--{one}" for one in (*values, *switches)]
            hint = did_you_mean(f"--{name}", known) or (
                f"{keyword} takes {listed(known, 'and')}" if known else f"{keyword} takes no flags"
            )
            raise instruction.error(f"unknown flag --{name[:40]}", at=at, hint=hint)
        if name in values and not value:
            raise instruction.error(f"--{name} needs a value", at=at, hint=f"write `--{name}=…`")
        if name in switches and equals and value.lower() not in ("true", "false"):
            raise instruction.error(f"--{name} can't be {value[:40]!r}", at=at, hint="it is true or false")
        if name not in _REPEATED and any(flag.name == name for flag in found):
            raise instruction.error(f"--{name} is given twice", at=at, hint="keep one")
        if name in switches and value.lower() == "false":
            continue
        found.append(Flag(name, value.strip("'\""), at, name not in plain))
    return tuple(found), len(text)


def _json(instruction: Instruction, rest: str, body: int) -> tuple[tuple[Word, ...], bool]:
    """Return the words of the JSON form, if `rest` is a list of strings; what isn't JSON is taken as it stands."""
    if instruction.keyword not in ("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"):
        return (), False
    if not rest.startswith("["):
        return (), False
    try:
        data = json.loads(rest)
    except (ValueError, RecursionError):
        return (), False
    if not isinstance(data, list):
        return (), False
    if not all(isinstance(part, str) for part in data):
        raise instruction.error("a list in JSON holds strings only", at=body, hint='write ["program", "argument"]')
    return tuple(Word(part, body) for part in data), True


def _words(keyword: str, rest: str, body: int) -> tuple[Word, ...]:
    if keyword in ("COPY", "ADD", "EXPOSE", "FROM", "VOLUME"):
        return tuple(Word(match[0], body + match.start()) for match in re.finditer(r"\S+", rest))
    return (Word(rest, body),) if rest else ()


def _pairs(instruction: Instruction, rest: str, body: int) -> Iterator[tuple[Word, Word | None]]:
    keyword = instruction.keyword
    words = split_quoted(rest, instruction.escape)
    if not words:
        raise instruction.error(f"{keyword} needs at least one argument", hint=f"write `{keyword} NAME=value`")
    if keyword != "ARG" and "=" not in words[0][1]:
        # the old form, with a space instead of the equals sign
        value = rest[words[0][0] + len(words[0][1]) :].lstrip()
        if not value:
            raise instruction.error(f"{keyword} needs a value", at=body, hint=f"write `{keyword} NAME=value`")
        at = body + len(rest) - len(value)
        yield Word(words[0][1], body + words[0][0]), Word(value, at)
        return
    for at, word in words:
        name, equals, value = word.partition("=")
        if not equals and keyword != "ARG":
            raise instruction.error(
                f"there is no `=` in {word[:40]!r}",
                at=body + at,
                hint="every value after the first needs NAME=value, too",
            )
        if not name:
            raise instruction.error(f"the name of this {keyword} is missing", at=body + at, hint="write NAME=value")
        after = Word(value, body + at + len(name) + 1) if equals else None
        yield Word(name, body + at), after


# -- one by one --------------------------------------------------------------------------------------------------------


def _nothing(statement: Statement) -> None:
    if not statement.words:
        raise statement.instruction.error(
            f"{statement.keyword} needs an argument", hint="see https://docs.docker.com/reference/dockerfile/"
        )


def _from(statement: Statement) -> None:
    words = statement.words
    instruction = statement.instruction
    if len(words) == 3 and words[1].text.upper() == "AS":
        if not _STAGE_NAME.fullmatch(words[2].text.lower()):
            raise instruction.error(
                f"a stage can't be called {words[2].text[:40]!r}",
                at=words[2].at,
                hint="a name begins with a letter; letters, digits, `-`, `_` and `.` follow",
            )
    elif len(words) != 1:
        at = words[1].at if len(words) > 1 else 0
        raise instruction.error(
            "FROM takes one argument, or three", at=at, hint="write `FROM IMAGE` or `FROM IMAGE AS NAME`"
        )


def _copy(statement: Statement) -> None:
    instruction, words, keyword = statement.instruction, statement.words, statement.keyword
    if len(words) < 2:
        raise instruction.error(
            f"{keyword} needs a source and a destination",
            at=statement.body,
            hint=f"write `{keyword} SOURCE… DESTINATION`",
        )
    names = {heredoc.name for heredoc in instruction.heredocs}
    if words[-1].text.startswith("<<") and words[-1].text.lstrip("<-").strip("'\"") in names:
        raise instruction.error("a here-document is no destination", at=words[-1].at, hint="the destination comes last")
    if len(words) > 2 and not re.search(r"[/\\]$|(^|[/\\])\.$|\$", words[-1].text):
        raise instruction.error(
            f"with several sources the destination of {keyword} must be a folder, not {words[-1].text[:40]!r}",
            at=words[-1].at,
            hint="end it with `/`",
        )


def _command(statement: Statement) -> None:
    if statement.keyword == "RUN" and not statement.words and not statement.exec_form:
        raise statement.instruction.error("RUN needs a command", hint="write `RUN COMMAND`")
    for flag in statement.flags:
        if flag.name == "mount":
            _mount(statement, flag)
        elif flag.name == "network" and flag.value not in ("default", "none", "host"):
            raise _choice(statement, flag, ("default", "none", "host"))
        elif flag.name == "security" and flag.value not in ("sandbox", "insecure"):
            raise _choice(statement, flag, ("sandbox", "insecure"))


def _choice(statement: Statement, flag: Flag, allowed: tuple[str, ...]) -> InputError:
    return statement.instruction.error(
        f"--{flag.name} can't be {flag.value[:40]!r}", at=flag.at, hint=f"it is {listed(allowed)}"
    )


def _mount(statement: Statement, flag: Flag) -> None:
    kinds = [
        part.partition("=")[2] for part in flag.value.split(",") if part.partition("=")[0].strip().lower() == "type"
    ]
    if kinds and kinds[-1].lower() not in _MOUNTS and "$" not in kinds[-1]:
        raise statement.instruction.error(
            f"there is no mount of type {kinds[-1][:40]!r}", at=flag.at, hint=f"the types are {listed(_MOUNTS, 'and')}"
        )


def _one(statement: Statement) -> None:
    if len(statement.words) != 1:
        raise statement.instruction.error(
            f"{statement.keyword} needs exactly one argument", hint=f"write `{statement.keyword} VALUE`"
        )


def _shell(statement: Statement) -> None:
    if not statement.exec_form or not statement.words:
        raise statement.instruction.error(
            "SHELL takes a list in JSON", at=statement.body, hint='write `SHELL ["/bin/sh", "-c"]`'
        )


def _expose(statement: Statement) -> None:
    _nothing(statement)
    for word in statement.words:
        if "$" not in word.text and not _PORT.fullmatch(word.text):
            raise statement.instruction.error(
                f"{word.text[:40]!r} is not a port", at=word.at, hint="write `EXPOSE 8080` or `EXPOSE 53/udp`"
            )
        numbers = [int(digits) for digits in re.findall(r"\d+", word.text.partition("/")[0])]
        if "$" not in word.text and (max(numbers) > 65_535 or numbers != sorted(numbers)):
            raise statement.instruction.error(
                f"{word.text[:40]!r} is not a port", at=word.at, hint="ports go from 0 to 65535"
            )


def _volume(statement: Statement) -> None:
    _nothing(statement)
    if any(not word.text for word in statement.words):
        raise statement.instruction.error("a volume can't be an empty text", at=statement.body, hint="name its path")


def _healthcheck(statement: Statement) -> None:
    instruction = statement.instruction
    text = statement.words[0].text if statement.words else ""
    kind, _, rest = text.partition(" ")
    if kind.upper() == "NONE":
        if rest.strip():
            raise instruction.error("HEALTHCHECK NONE takes no arguments", at=statement.body, hint="leave them out")
    elif kind.upper() != "CMD":
        raise instruction.error(
            f"unknown kind of HEALTHCHECK {kind[:40]!r}" if kind else "HEALTHCHECK needs an argument",
            at=statement.body if kind else 0,
            hint="write `HEALTHCHECK CMD COMMAND` or `HEALTHCHECK NONE`",
        )
    elif not rest.strip():
        raise instruction.error(
            "the command after HEALTHCHECK CMD is missing", at=statement.body, hint="write `HEALTHCHECK CMD COMMAND`"
        )
    for flag in statement.flags:
        if flag.name == "retries":
            if not re.fullmatch(r"\d{1,9}", flag.value):
                raise instruction.error(
                    f"--retries can't be {flag.value[:40]!r}", at=flag.at, hint="it is a whole number"
                )
        elif not _GO_DURATION.fullmatch(flag.value):
            raise instruction.error(
                f"{flag.value[:40]!r} is not a time as Docker takes it",
                at=flag.at,
                hint="write `30s`, `1m30s` or `500ms`",
            )


def _trigger(statement: Statement) -> None:
    """Check what an ONBUILD holds as far as builders do: the rest is found out when an image is built on this one."""
    _nothing(statement)
    keyword = statement.words[0].text.partition(" ")[0].upper()
    if keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        raise statement.instruction.error(
            f"{keyword} can't be the trigger of an ONBUILD", hint="it is an instruction that builds, like RUN or COPY"
        )


_CHECKS = {
    "FROM": _from,
    "COPY": _copy,
    "ADD": _copy,
    "RUN": _command,
    "CMD": _command,
    "ENTRYPOINT": _command,
    "WORKDIR": _one,
    "USER": _one,
    "STOPSIGNAL": _one,
    "MAINTAINER": _one,
    "SHELL": _shell,
    "EXPOSE": _expose,
    "VOLUME": _volume,
    "HEALTHCHECK": _healthcheck,
    "ONBUILD": _trigger,
}
