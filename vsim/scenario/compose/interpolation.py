"""Variables in compose files: ``$NAME``, ``${NAME:-default}``, ``${NAME:?error}``, ``${NAME:+other}``, ``$$``.

The rules are those of the Compose Specification (12-interpolation.md). What variables stand for isn't expanded again,
and two limits, on the text that they become and on nesting, keep a hostile file small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vsim.scenario.compose.parts import Part
from vsim.scenario.validation import Refused, shown

__all__ = ["MAX_LENGTH", "Variables", "interpolate"]

MAX_LENGTH = 1024 * 1024
MAX_NESTING = 16

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_SYNTAX_HINT = "write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign"


class Variables:
    """What names stand for, which of them were asked for in vain, and how much text they have become so far."""

    __slots__ = ("length", "unset", "values")

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.unset: dict[str, None] = {}
        self.length = 0

    def expand(self, text: str) -> str:
        """Return `text` with its variables replaced; one that isn't set is replaced by nothing.

        Raises Refused for what isn't an expression, a variable that `?` requires, and for too much text.
        """
        if "$" not in text:
            return text
        expanded, end = self._until(text, 0, closing=False, depth=0)
        assert end == len(text)
        return expanded

    def _until(self, text: str, start: int, *, closing: bool, depth: int) -> tuple[str, int]:
        """Return what `text` from `start` to its end, or the bracket that closes it, stands for, and where that is."""
        if depth > MAX_NESTING:
            raise Refused(f"variables are nested more than {MAX_NESTING} levels deep", hint="use fewer levels")
        out: list[str] = []
        index = start
        while index < len(text):
            character = text[index]
            if closing and character == "}":
                break
            if character != "$":
                # to the next character that means something
                end = index + 1
                while end < len(text) and text[end] not in "$}":
                    end += 1
                out.append(text[index:end])
                index = end
                continue
            piece, index = self._dollar(text, index, depth)
            out.append(piece)
            self._count(len(piece))
        return "".join(out), index

    def _dollar(self, text: str, index: int, depth: int) -> tuple[str, int]:
        """Return what the expression at `index` stands for, and where it ends."""
        if text.startswith("$$", index):
            return "$", index + 2
        if text.startswith("${", index):
            return self._braced(text, index, depth)
        name = _NAME.match(text, index + 1)
        if name is None:
            raise Refused(f"{shown(text[index : index + 20])} is not a variable", hint=_SYNTAX_HINT)
        return self._value(name.group()), name.end()

    def _braced(self, text: str, index: int, depth: int) -> tuple[str, int]:
        name = _NAME.match(text, index + 2)
        if name is None:
            raise Refused(f"{shown(text[index : index + 20])} is not a variable", hint=_SYNTAX_HINT)
        end = name.end()
        operator = _OPERATOR.match(text, end)
        if operator is None:
            if not text.startswith("}", end):
                raise Refused(f"{shown(text[index : index + 20])} isn't closed with `}}`", hint=_SYNTAX_HINT)
            return self._value(name.group()), end + 1
        other, end = self._until(text, operator.end(), closing=True, depth=depth + 1)
        if not text.startswith("}", end):
            raise Refused(f"{shown(text[index : index + 20])} isn't closed with `}}`", hint=_SYNTAX_HINT)
        return self._chosen(name.group(), operator.group(), other), end + 1

    def _chosen(self, name: str, operator: str, other: str) -> str:
        value = self.values.get(name)
        there = value is not None and (value != "" or not operator.startswith(":"))
        kind = operator[-1]
        if kind == "+":
            return other if there else ""
        if there:
            assert value is not None
            return value
        if kind == "?":
            reason = f": {other}" if other else ""
            raise Refused(
                f"the variable {name} is required{reason}",
                hint=f"set it in the environment, or in a file `.env` beside the compose file: {name}=…",
            )
        return other

    def _value(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            self.unset[name] = None
            return ""
        return value

    def _count(self, length: int) -> None:
        self.length += length
        if self.length > MAX_LENGTH:
            raise Refused(
                f"variables make this longer than {MAX_LENGTH // 1024**2} MiB", hint="shorter values, or fewer uses"
            )


def interpolate(part: Part, variables: Variables) -> Part:
    """Return `part` with the variables in its values replaced. Keys stay as they are.

    Raises InputError, with its place, for an expression that can't be read, and a variable that has to be set.
    """
    if isinstance(part.value, dict):
        return part.like({key: interpolate(child, variables) for key, child in part.value.items()})
    if isinstance(part.value, list):
        return part.like([interpolate(child, variables) for child in part.value])
    if isinstance(part.value, str) and "$" in part.value:
        try:
            return part.like(variables.expand(part.value))
        except Refused as error:
            raise part.error(str(error), error.hint) from None
    return part
