r"""Wildcards: those of ``COPY`` and ``.dockerignore``, and those of ``${NAME#pattern}``.

A regular expression is made of a pattern with few stars only: for others, Python's would take time exponential in their
number if the text is made to do so. There a pattern is a list of tokens, and matching follows all the places in it that
can have been reached, in time proportional to the lengths of pattern and text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

__all__ = ["BadPattern", "Pattern"]

Kind = Literal["char", "one", "any", "class", "star", "deep", "dirs"]

_OPEN = ("star", "deep", "dirs")
# Backtracking over this many stars takes time in the square of the text's length at most.
_FEW = 2
# How many steps replacing may take: with stars it is the square of the text's length times that of the pattern.
_STEPS = 2_000_000


class BadPattern(ValueError):  # noqa: N818 - reads as what it is: `raise BadPattern(...)`
    """A pattern that can't be read; `at` is where in it, counted from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class _Token:
    """`star` matches anything within a folder, `deep` anything, `dirs` nothing or anything that ends with a slash."""

    kind: Kind
    chars: str = ""
    ranges: tuple[tuple[str, str], ...] = ()
    negated: bool = False

    def takes(self, char: str) -> bool:
        """Return whether one character fits; not for stars."""
        if self.kind == "char":
            return char == self.chars
        if self.kind == "any":
            return True
        if char == "/":
            return False
        if self.kind == "one":
            return True
        return any(low <= char <= high for low, high in self.ranges) != self.negated

    def expression(self) -> str:
        """Return the token as a regular expression."""
        if self.kind == "char":
            return re.escape(self.chars)
        if self.kind == "class":
            ranges = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in self.ranges if low <= high)
            if self.negated:
                return f"[^/{ranges}]"
            return f"(?!/)[{ranges}]" if ranges else r"[^\s\S]"
        return {"one": "[^/]", "any": r"[\s\S]", "star": "[^/]*", "deep": r"[\s\S]*", "dirs": r"(?:[\s\S]*/)?"}[
            self.kind
        ]


@dataclass(frozen=True)
class Pattern:
    """A pattern, as tokens."""

    text: str
    tokens: tuple[_Token, ...]

    @classmethod
    def of_path(cls, text: str) -> Pattern:
        """Return the pattern of a path as ``COPY`` takes it: ``*``, ``?``, ``[a-z]`` within one directory.

        Raises BadPattern.
        """
        return cls(text, tuple(_tokens(text, deep=False)))

    @classmethod
    def of_ignore(cls, text: str) -> Pattern:
        """Return the pattern of a line of ``.dockerignore``: as a path, with ``**`` for any number of directories.

        Raises BadPattern.
        """
        return cls(text, tuple(_tokens(text, deep=True)))

    @classmethod
    def of_text(cls, text: str) -> Pattern:
        """Return the pattern of a substitution: ``*`` for anything, ``?`` for one character, a backslash escapes."""
        tokens: list[_Token] = []
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\\" and at + 1 < len(text):
                at += 1
                tokens.append(_Token("char", text[at]))
            elif char == "*":
                tokens.append(_Token("deep"))
            else:
                tokens.append(_Token("any") if char == "?" else _Token("char", char))
            at += 1
        return cls(text, tuple(tokens))

    @property
    def literal(self) -> str | None:
        """The one text that the pattern matches, if there is only one."""
        if all(token.kind == "char" for token in self.tokens):
            return "".join(token.chars for token in self.tokens)
        return None

    def matches(self, text: str) -> bool:
        """Return whether all of `text` fits."""
        if self._expression is not None:
            return self._expression.fullmatch(text) is not None
        end = len(self.tokens)
        places = self._open({0})
        for char in text:
            places = self._step(places, char)
            if not places:
                return False
        return end in places

    @cached_property
    def _expression(self) -> re.Pattern[str] | None:
        if sum(token.kind in _OPEN for token in self.tokens) > _FEW:
            return None
        return re.compile("".join(token.expression() for token in self.tokens))

    def _open(self, places: set[int]) -> set[int]:
        """Return `places` and those that are reached from them without a character."""
        found = set(places)
        ahead = list(places)
        while ahead:
            place = ahead.pop()
            if place < len(self.tokens) and self.tokens[place].kind in _OPEN and place + 1 not in found:
                found.add(place + 1)
                ahead.append(place + 1)
        return found

    def _step(self, places: set[int], char: str) -> set[int]:
        found: set[int] = set()
        for place in places:
            if place < 0:  # inside the directories of the token ~place
                found.add(place)
                if char == "/":
                    found.add(~place + 1)
                continue
            if place == len(self.tokens):
                continue
            token = self.tokens[place]
            if token.kind == "deep" or (token.kind == "star" and char != "/"):
                found.add(place)
            elif token.kind == "dirs":
                found.add(~place)
                if char == "/":
                    found.add(place + 1)
            elif token.kind != "star" and token.takes(char):
                found.add(place + 1)
        return self._open({p for p in found if p >= 0}) | {p for p in found if p < 0}

    def _ends(self, text: str) -> list[int]:
        """Return the lengths of the beginnings of `text` that fit, the shortest first."""
        end = len(self.tokens)
        places = self._open({0})
        lengths = [0] if end in places else []
        for count, char in enumerate(text, 1):
            places = self._step(places, char)
            if end in places:
                lengths.append(count)
            if not places:
                break
        return lengths

    def without_prefix(self, text: str, *, longest: bool) -> str:
        """Return `text` without the shortest or longest beginning that fits."""
        lengths = self._ends(text)
        return text[lengths[-1 if longest else 0] :] if lengths else text

    def without_suffix(self, text: str, *, longest: bool) -> str:
        """Return `text` without the shortest or longest end that fits."""
        lengths = Pattern(self.text, self.tokens[::-1])._ends(text[::-1])
        return text[: len(text) - lengths[-1 if longest else 0]] if lengths else text

    def replaced(self, text: str, by: str, *, everywhere: bool) -> str:
        """Return `text` with the first (or `everywhere` each) longest part that fits replaced. Raises BadPattern."""
        if any(token.kind in _OPEN for token in self.tokens) and len(text) ** 2 * len(self.tokens) > _STEPS:
            raise BadPattern("a pattern with `*` can't be looked for in a text that long", 0)
        parts: list[str] = []
        at = 0
        while at < len(text):
            lengths = [length for length in self._ends(text[at:]) if length]
            if lengths:
                parts.append(by)
                at += lengths[-1]
                if not everywhere:
                    break
            else:
                parts.append(text[at])
                at += 1
        return "".join(parts) + text[at:]


def _tokens(text: str, *, deep: bool) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        char = text[at]
        if char == "*" and deep and text[at + 1 : at + 2] == "*":
            at += 2
            if text[at : at + 1] == "/":
                at += 1
                yield _Token("dirs")
            else:
                yield _Token("deep")
            continue
        if char == "[":
            at, token = _class(text, at)
            yield token
            continue
        if char == "\\":
            at += 1
            if at == len(text):
                raise BadPattern("a backslash at the end escapes nothing", at - 1)
            yield _Token("char", text[at])
        elif char == "*":
            yield _Token("star")
        else:
            yield _Token("one") if char == "?" else _Token("char", char)
        at += 1


def _class(text: str, begin: int) -> tuple[int, _Token]:
    """Return where the class that begins at `begin` ends, and its token."""
    at = begin + 1
    negated = text[at : at + 1] == "^"
    at += negated
    ranges: list[tuple[str, str]] = []
    while at < len(text) and not (text[at] == "]" and ranges):
        low, at = _classed(text, at, begin)
        high = low
        if text[at : at + 1] == "-":
            high, at = _classed(text, at + 1, begin)
        ranges.append((low, high))
    if at >= len(text):
        raise BadPattern("`[` isn't closed", begin)
    return at + 1, _Token("class", ranges=tuple(ranges), negated=negated)


def _classed(text: str, at: int, begin: int) -> tuple[str, int]:
    if text[at : at + 1] == "\\":
        at += 1
    elif text[at : at + 1] in ("-", "]"):
        raise BadPattern("a range of characters has two ends", at)
    if at >= len(text):
        raise BadPattern("`[` isn't closed", begin)
    return text[at], at + 1
