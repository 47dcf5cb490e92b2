"""A compose file against the Compose Specification's JSON schema, and its complaints in plain words.

The schema is the one that the package ``check-jsonschema`` ships: it follows the specification's releases. Only that
file is read; the package itself, a command with a downloader, is never imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any

from vsim.errors import HostError, InputError
from vsim.scenario.compose.parts import Part
from vsim.scenario.validation import did_you_mean, listed, shown

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

__all__ = ["check_schema", "compose_schema"]

_PACKAGE = "check-jsonschema"
_FILE = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
_WORDS = {
    "object": "a mapping of keys and values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
# What only a service has: a mapping with one of these at the top level is a service in the wrong place.
_SERVICE_KEYS = frozenset({"image", "build", "ports", "depends_on", "command", "container_name", "environment"})


@cache
def compose_schema() -> Mapping[str, Any]:
    """Return the schema. Raises HostError where the package that ships it isn't installed."""
    try:
        path = distribution(_PACKAGE).locate_file(_FILE)
        schema: Mapping[str, Any] = json.loads(path.read_bytes())  # type: ignore[attr-defined]  # a Path
    except (PackageNotFoundError, FileNotFoundError):
        raise HostError(
            "the schema of compose files isn't installed", hint=f"python -m pip install {_PACKAGE}"
        ) from None
    return schema


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(compose_schema())


def check_schema(part: Part) -> None:
    """Raise InputError for the first thing in a compose file that the schema refuses."""
    _check_top(part)
    problems = [_Problem(part, error) for found in _validator().iter_errors(part.plain()) for error in _leaves(found)]
    if problems:
        # what stands inside something that is wrong as a whole is the better place to point at
        problems.sort(key=lambda problem: (problem.order, -len(problem.path)))
        raise problems[0].report()


def _check_top(part: Part) -> None:
    """Refuse what is at the top level and belongs elsewhere, or has to be there and isn't."""
    known = compose_schema()["properties"]
    strangers = [(key, child) for key, child in part.mapping.items() if key not in known and not key.startswith("x-")]
    services = [key for key, child in strangers if _SERVICE_KEYS & child.mapping.keys()]
    for key, child in strangers:
        if key in services:
            pasted = listed([f"`{name}:`" for name in services], "and")
            they, them = ("it is a service", "it") if len(services) == 1 else ("they are services", "them")
            where = "below the line `services:`" if "services" in part.mapping else "below a line `services:`"
            raise child.error(
                f"{pasted} at the top level: {they}, and services stand under `services:`",
                f"move {them} {where}, indented by two spaces",
                key=True,
            )
        raise child.error(
            f"unknown key {shown(key)} at the top level",
            did_you_mean(key, known) or f"the keys here are {listed(known, 'and')}",
            key=True,
        )


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the errors that say what is wrong: of several alternatives, those of the one that was meant."""
    if not error.context:
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for child in error.context:
        branches.setdefault(child.schema_path[0] if child.schema_path else None, []).append(child)
    depth = len(error.absolute_path)
    meant = [
        found
        for found in branches.values()
        if not any(e.validator in ("type", "enum") and len(e.absolute_path) == depth for e in found)
    ]
    if len(meant) != 1:
        yield error
        return
    for child in meant[0]:
        yield from _leaves(child)


class _Problem:
    """One complaint of the schema, with the part of the file that it is about."""

    def __init__(self, root: Part, error: ValidationError) -> None:
        self.error = error
        self.path: list[str | int] = list(error.absolute_path)
        self.part = root.at(self.path)
        self.strangers = self._strangers()
        self.about = self.part.mapping[self.strangers[0]] if self.strangers else self.part
        place = self.about.place(key=bool(self.strangers))
        # an unknown key that is only unknown because something in it is wrong comes after that
        follows = error.validator == "unevaluatedProperties" and not self.strangers
        self.order = (follows, place.line or 0, place.column or 0)

    def _strangers(self) -> list[str]:
        kind = self.error.validator
        if kind not in ("additionalProperties", "unevaluatedProperties"):
            return []
        known = set(_known(self.error.schema))
        patterns = _patterns(self.error.schema)
        return [key for key in self.part.mapping if key not in known and not any(p(key) for p in patterns)]

    @property
    def name(self) -> str:
        """What a message calls the value: its key, and for the entry of a list its number."""
        if not self.path:
            return "the file"
        last = self.path[-1]
        if isinstance(last, str):
            return f"`{last}`"
        above = next((step for step in reversed(self.path) if isinstance(step, str)), "")
        return f"entry {last + 1} of `{above}`"

    def report(self) -> InputError:
        """Return the error to raise."""
        message, hint = self._words()
        return self.about.error(message, hint, key=bool(self.strangers))

    def _words(self) -> tuple[str, str]:
        kind, given = self.error.validator, self.part.value
        wanted: Any = self.error.validator_value
        if self.strangers:
            return self._unknown_key()
        if kind in ("type", "oneOf", "anyOf"):
            types = _types(self.error)
            if types and not _fits(given, types):
                words = listed([_WORDS[name] for name in types])
                quoted = "put it in quotes" if "string" in types and isinstance(given, int | float | bool) else ""
                given_words = "a mapping" if isinstance(given, dict) else "a list" if isinstance(given, list) else None
                return f"{self.name} must be {words}, not {given_words or shown(given)}", quoted or f"write {words}"
            return (
                f"{self.name} can't be {shown(self.part.plain())}",
                "see its description in the Compose Specification",
            )
        if kind == "required":
            lacking = next((key for key in wanted if key not in self.part.mapping), "?")
            return f"the key {lacking!r} is missing in {self.name}", f"add `{lacking}:`"
        if kind == "enum":
            allowed = [str(word) for word in wanted]
            return f"{self.name} can't be {shown(given)}", did_you_mean(given, allowed) or f"it is {listed(allowed)}"
        if kind == "uniqueItems":
            return f"{self.name} has the same entry twice", "remove one of them"
        if kind in ("minimum", "maximum"):
            word = "at least" if kind == "minimum" else "at most"
            return f"{self.name} must be {word} {wanted}, not {shown(given)}", "see the Compose Specification"
        if kind == "pattern":
            return f"{self.name} can't be {shown(given)}", f"it has to match {wanted}"
        return f"{self.name}: {self.error.message[:200]}", "see the Compose Specification"

    def _unknown_key(self) -> tuple[str, str]:
        key = self.strangers[0]
        known = list(_known(self.error.schema))
        if not known:
            return f"{shown(key)} can't be a name", "a name has letters, digits, `.`, `_` and `-`"
        hint = did_you_mean(key, known)
        return f"unknown key {shown(key)} in {self.name}", hint or f"the keys here are {listed(sorted(known), 'and')}"


def _known(schema: Any) -> Iterator[str]:
    """Yield the keys that a schema, and those that it is put together from, know."""
    if not isinstance(schema, Mapping):
        return
    yield from schema.get("properties", ())
    for part in schema.get("allOf", ()):
        yield from _known(_resolved(part))


def _patterns(schema: Any) -> list[Any]:
    import re

    found: list[Any] = []
    if isinstance(schema, Mapping):
        found += [re.compile(pattern).search for pattern in schema.get("patternProperties", ())]
        for part in schema.get("allOf", ()):
            found += _patterns(_resolved(part))
    return found


def _resolved(schema: Any) -> Any:
    while isinstance(schema, Mapping) and "$ref" in schema:
        schema = compose_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _types(error: ValidationError) -> list[str]:
    """Return the types that a failed `type`, `oneOf` or `anyOf` would have taken."""
    wanted: Any = error.validator_value
    if error.validator == "type":
        return [wanted] if isinstance(wanted, str) else list(wanted)
    return list(dict.fromkeys(_types_of(wanted)))


def _types_of(alternatives: Iterable[Any]) -> Iterator[str]:
    for alternative in alternatives:
        schema = _resolved(alternative)
        if "type" in schema:
            yield from [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        yield from _types_of(schema.get("oneOf", ()))


def _fits(value: object, types: Iterable[str]) -> bool:
    if value is None:
        return "null" in types
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int):
        return "integer" in types or "number" in types
    kinds = {float: "number", str: "string", dict: "object", list: "array"}
    return kinds.get(type(value), "") in types
