"""From pydantic's list of errors to one message that a user can act on.

Of all that is wrong with a file the first in it is reported: its place, plain words for what is allowed, and
"did you mean" where a word is close to one that is known.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from vsim.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from vsim.scenario.document import Document

    Model = TypeVar("Model", bound=BaseModel)

__all__ = ["Refused", "did_you_mean", "listed", "shown", "validate"]

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping of keys and values",
    "mapping_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "dataclass_type": "a mapping of keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "none_required": "nothing",
}

_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


class Refused(ValueError):  # noqa: N818 - reads as what happened: `raise Refused(...)`
    """What a validator of a file's model raises: a message, a hint, and where below the value it is about.

    `key` puts the caret under the key instead of the value.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, loc: tuple[str | int, ...] = (), key: bool = False
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.loc = loc
        self.key = key


def validate(document: Document, model: type[Model]) -> Model:
    """Return `document` as a `model`. Raises InputError for the first thing in the file that the model refuses."""
    from pydantic import ValidationError

    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    except RecursionError:
        raise document.error((), "the file is nested too deeply") from None
    raise _report(document, model, details)


def did_you_mean(word: object, known: Iterable[str]) -> str | None:
    """Return "did you mean 'x'?" for the known word that is most like `word`, or None."""
    known = list(known)
    close = difflib.get_close_matches(str(word), known, n=1)
    if not close:
        # `Memory`, `MEMORY_CV` and `memory-cv` are one slip, but far apart by letters
        folded = {_fold(name): name for name in known}
        close = [folded[_fold(str(word))]] if _fold(str(word)) in folded else []
    return f"did you mean {close[0]!r}?" if close else None


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return "a, b or c"."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def shown(value: object) -> str:
    """Return a value as the user may have written it, cut to a reasonable length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _fold(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")


# -- reporting ---------------------------------------------------------------------------------------------------------


class _Problem:
    """One of pydantic's errors, with its location as the file has it."""

    __slots__ = ("detail", "key", "loc", "refused")

    def __init__(self, document: Document, detail: ErrorDetails) -> None:
        self.detail = detail
        raw = detail["loc"]
        self.loc, self.key = _in_file(document.data, raw), False
        error = detail.get("ctx", {}).get("error")
        self.refused = error if isinstance(error, Refused) else None
        if self.refused is not None:
            self.loc += self.refused.loc
            self.key = self.refused.key
        if detail["type"] == "extra_forbidden" or (raw and raw[-1] == "[key]"):
            self.key = True

    def order(self, document: Document) -> tuple[int, int, int]:
        place = document.key_place(self.loc) if self.key else document.place(self.loc)
        return (place.line or 0, place.column or 0, -len(self.loc))


def _report(document: Document, model: type[BaseModel], details: Sequence[ErrorDetails]) -> InputError:
    problems = [_Problem(document, detail) for detail in details]
    meant = [p for p in problems if not _follows(p, problems)]
    first = min(meant, key=lambda p: p.order(document))
    same = [p for p in meant if p.loc == first.loc and p.key == first.key]
    message, hint = _describe(first, same, model)
    hint = hint or _description(model, first.loc)
    return document.error(first.loc, message, hint=hint, key=first.key)


def _follows(problem: _Problem, problems: Sequence[_Problem]) -> bool:
    """Return whether another problem is the cause of this one."""
    kind, given = problem.detail["type"], problem.detail.get("input")
    if kind == "missing":
        # a misspelt key leaves the right one missing
        return any(p.detail["type"] == "extra_forbidden" and p.loc[:-1] == problem.loc for p in problems)
    # where a union has failed, the alternative that got furthest is the one that was meant
    if kind in _EXPECTED or (kind == "value_error" and isinstance(given, dict | list)):
        return any(len(p.loc) > len(problem.loc) and p.loc[: len(problem.loc)] == problem.loc for p in problems)
    return False


def _describe(problem: _Problem, same: Sequence[_Problem], model: type[BaseModel]) -> tuple[str, str | None]:
    """Return the message and the hint for a problem; `same` are all at that place (the alternatives of a union)."""
    detail = problem.detail
    kind, given, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    name = _name(problem.loc)
    hint = context.get("hint")
    if problem.refused is not None:
        return str(problem.refused), problem.refused.hint
    if kind == "extra_forbidden":
        known = _keys(model, problem.loc[:-1])
        return (
            f"unknown key {shown(problem.loc[-1])}",
            did_you_mean(problem.loc[-1], known) or f"the keys here are {listed(known, 'and')}",
        )
    if kind == "missing":
        lacking = str(detail["loc"][-1])
        where = f" in {name}" if problem.loc else ""
        return f"the key {lacking!r} is missing{where}", f"add `{lacking}:`"
    bound = next((p.detail for p in same if p.detail["type"] in _BOUNDS), None)
    if bound is not None:
        words, key = _BOUNDS[bound["type"]]
        limit = bound.get("ctx", {})[key]
        return f"{name} must be {words} {limit:,}, not {shown(given)}", hint
    allowed = [word for p in same for word in _literals(p.detail)]
    if allowed and isinstance(given, str):
        return f"{name} can't be {shown(given)}", did_you_mean(given, allowed) or f"it is {listed(allowed)}"
    expected = list(dict.fromkeys(_EXPECTED[p.detail["type"]] for p in same if p.detail["type"] in _EXPECTED))
    if allowed:
        expected.append(f"one of {', '.join(allowed)}")
    if expected:
        return f"{name} must be {listed(expected)}, not {shown(given)}", hint
    if kind in ("too_short", "string_too_short"):
        return f"{name} must not be empty", hint
    if kind in ("too_long", "string_too_long"):
        return f"{name} is too long: at most {context['max_length']}", hint
    if kind == "string_pattern_mismatch":
        return f"{name} can't be {shown(given)}", hint or f"it has to match {context['pattern']}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"{name} needs a valid {context['discriminator']}", f"one of {context.get('expected_tags', 'the known')}"
    text = str(context.get("error") or detail["msg"])
    return f"{name}: {text}", hint


def _name(loc: Sequence[str | int]) -> str:
    """Return how a message calls the value at `loc`: its key, and for a list's entry its number."""
    if not loc:
        return "the file"
    if isinstance(loc[-1], int):
        return f"entry {loc[-1] + 1} of {_name(loc[:-1])}"
    return f"`{loc[-1]}`"


def _literals(detail: ErrorDetails) -> list[str]:
    """Return the words that a failed Literal or enum would have taken."""
    if detail["type"] not in ("literal_error", "enum"):
        return []
    text = str(detail.get("ctx", {}).get("expected", ""))
    # pydantic gives them as text: 'a', 'b' or 'c'
    return [word.strip().strip("'") for word in text.replace(" or ", ", ").split(",") if word.strip()]


def _in_file(data: Any, loc: Iterable[int | str]) -> tuple[str | int, ...]:
    """Return the parts of pydantic's location that are in the file: it mixes in the names of a union's alternatives."""
    found: list[str | int] = []
    for part in loc:
        if isinstance(data, dict):
            if part not in data:
                continue
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data):
            data = data[part]
        else:
            continue
        found.append(part)
    return tuple(found)


# -- what a model knows ------------------------------------------------------------------------------------------------


def _keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys that `model` allows in the mapping at `loc`."""
    models = [m for annotation in _annotations(model, loc) for m in _models(annotation)]
    return list(dict.fromkeys(field.alias or name for m in models for name, field in _fields(m).items()))


def _annotations(model: type[BaseModel], loc: Sequence[str | int]) -> list[Any]:
    """Return the annotations of the value at `loc`."""
    found: list[Any] = [model]
    for part in loc:
        found = [below for annotation in found for below in _below(annotation, part)]
    return found


def _description(model: type[BaseModel], loc: Sequence[str | int]) -> str | None:
    """Return what there is to say about the value at `loc`: the keys of a mapping, or the field's description."""
    keys = _keys(model, loc)
    if keys:
        return f"the keys here are {listed(keys, 'and')}"
    while loc:
        # an entry of a list, or of a mapping of the user's names, is described with the whole
        for m in [m for annotation in _annotations(model, loc[:-1]) for m in _models(annotation)]:
            for name, field in _fields(m).items():
                if (field.alias or name) == loc[-1] and field.description:
                    return f"{loc[-1]}: {field.description}"
        loc = loc[:-1]
    return None


def _fields(model: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = model.model_fields
    return fields


def _models(annotation: Any) -> Iterator[Any]:
    """Yield the pydantic models among the alternatives of an annotation."""
    from pydantic import BaseModel

    if isinstance(annotation, type) and not typing.get_origin(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for alternative in _alternatives(annotation):
        yield from _models(alternative)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return typing.get_args(annotation)[:1] if origin is typing.Annotated else ()


def _below(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield the annotations of what stands at `part` of a value with `annotation`."""
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        yield arguments[1]
    elif isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset) and arguments:
        yield arguments[part if origin is tuple and isinstance(part, int) and part < len(arguments) else 0]
    for alternative in _alternatives(annotation):
        yield from _below(alternative, part)
    for model in _models(annotation) if not _alternatives(annotation) else ():
        for name, field in _fields(model).items():
            if part == (field.alias or name):
                yield field.annotation
