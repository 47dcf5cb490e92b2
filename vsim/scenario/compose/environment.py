"""``.env`` files: ``NAME=value`` lines, with comments, quotes, and variables in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from vsim.scenario.compose.interpolation import Variables
from vsim.scenario.composing import Text
from vsim.scenario.document import MAX_BYTES, decode, read_bytes
from vsim.scenario.validation import Refused, shown

__all__ = ["read_environment"]

_LINE = re.compile(
    r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.\-\[\]]*)[ \t]*(?:([=:])[ \t]*|(?=\r?$|\r?\n|#))", re.M
)
_COMMENT = re.compile(r"[ \t]#")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}


def read_environment(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return what the file at `path` sets. Variables in it are those of `given`, then those set above.

    Raises InputError, with its place, for a line that isn't `NAME=value`, an open quote, or too much text.
    """
    file = str(path)
    source = Text(file, decode(file, read_bytes(path, MAX_BYTES)).removeprefix("\ufeff"))
    text = source.text
    found: dict[str, str] = {}
    variables = Variables({})
    index = 0
    while index < len(text):
        end = text.find("\n", index)
        end = len(text) if end < 0 else end
        if not text[index:end].strip() or text[index:end].lstrip().startswith("#"):
            index = end + 1
            continue
        match = _LINE.match(text, index)
        if match is None:
            start = index + len(text[index:end]) - len(text[index:end].lstrip())
            raise source.error(start, f"{shown(text[start:end])} is not a variable", "write NAME=value")
        name = match.group(1)
        if match.group(2) is None:
            # a name alone hands on what the environment has
            if name in given:
                found[name] = given[name]
            index = end + 1
            continue
        raw, quote, after = _value(source, match.end(), end)
        variables.values = {**found, **given}
        try:
            found[name] = raw if quote == "'" else variables.expand(raw)
        except Refused as error:
            raise source.error(match.end(), str(error), error.hint) from None
        index = after
    return found


def _value(source: Text, start: int, end: int) -> tuple[str, str, int]:
    """Return the value that starts at `start` in a line that ends at `end`, its quote, and where to go on."""
    text = source.text
    quote = text[start : start + 1]
    if quote not in ("'", '"') or not quote:
        value = text[start:end]
        comment = _COMMENT.search(value)
        if value.startswith("#"):
            value = ""
        elif comment:
            value = value[: comment.start()]
        return value.strip(), "", end + 1
    out: list[str] = []
    index = start + 1
    while index < len(text) and text[index] != quote:
        if text[index] == "\\" and index + 1 < len(text) and (quote == '"' or text[index + 1] == quote):
            following = text[index + 1]
            out.append(following if quote == "'" else _ESCAPES.get(following, "\\" + following))
            index += 2
            continue
        out.append(text[index])
        index += 1
    if index >= len(text):
        raise source.error(start, "this quote isn't closed", f"end the value with {quote}")
    line_end = text.find("\n", index)
    line_end = len(text) if line_end < 0 else line_end
    rest = text[index + 1 : line_end].strip()
    if rest and not rest.startswith("#"):
        raise source.error(index + 1, f"{shown(rest)} follows the value", "put all of it in quotes")
    return "".join(out), quote, line_end + 1
