"""What a profile file may hold, as pydantic models and as a JSON Schema.

The models of layers, stacks, chassis and machines follow from the dataclasses of :mod:`vsim.model`: a field that is
added there can be stated in a file, and is in the schema, from then on. Everything is optional here, for a file that
changes one number only; what has to be there in the end is checked when the parts are built.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
    model_validator,
)

from vsim.calibration.build import field_types
from vsim.calibration.formula import Formula, FormulaError
from vsim.calibration.resolve import LOADS
from vsim.calibration.specification import RANKS
from vsim.calibration.units import base_unit, has_currency, unit_factor, units_of
from vsim.model.building import Builder, Emulator
from vsim.model.catalogue import CataloguedImage
from vsim.model.image import Puller, Registry
from vsim.model.layer import Layer
from vsim.model.machine import Chassis, Machine, Site
from vsim.model.orchestration import Orchestrator, Supervision
from vsim.model.quantity import Family, Quantity
from vsim.model.stack import Stack
from vsim.scenario.validation import Refused, did_you_mean, listed, shown

__all__ = ["ProfileFile", "json_schema"]

SCHEMA = "vsim.profile/1"

# Names are parts of paths (`container-engine.memory.unit_bytes`) and of STACK@MACHINE.
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _rule(text: str) -> str:
    try:
        Formula.of(text)
    except FormulaError as error:
        raise Refused(f"the rule can't be read: {error}") from None
    return text


Rule = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_rule)]


# -- sources -----------------------------------------------------------------------------------------------------------

_INPUTS: Any = Field(default_factory=dict, description="What the names in the rules stand for: a figure or a quantity.")


class _Source(_Part):
    why: Text | None = None
    inputs: dict[str, Text] = _INPUTS


class MeasuredSource(_Source):
    """From samples of a real host."""

    kind: Literal["measured"]
    run: Text
    host: Text
    date: Text
    n: int = Field(ge=1)
    conditions: Text | None = None


class PublishedSource(_Source):
    """From a paper, a specification or a data sheet: a figure of this profile, or a citation of its own."""

    kind: Literal["published"]
    figure: Rule | None = None
    citation: Text | None = None
    place: Text | None = None
    conditions: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> PublishedSource:
        if (self.figure is None) == (self.citation is None):
            raise Refused(
                "a published source states either `figure` or `citation`",
                hint="`figure` names one under `figures`; `citation` gives the work, with `place` and `conditions`",
            )
        return self


class DerivedSource(_Source):
    """Computed from figures and other quantities."""

    kind: Literal["derived"]
    rule: Rule


class AssumedSource(_Source):
    """Nobody measured it: why this value, and a range."""

    kind: Literal["assumed"]
    why: Text


def _with_kind(value: Any) -> Any:
    """Refuse a source without a known kind in plain words; the rest is left to the kind's model."""
    kinds = list(RANKS)[::-1]
    if isinstance(value, Mapping) and "kind" not in value:
        raise Refused("the key 'kind' is missing in `source`", hint=f"add `kind:`, one of {listed(kinds)}")
    if isinstance(value, Mapping) and value["kind"] not in kinds:
        hint = did_you_mean(value["kind"], kinds) or f"it is {listed(kinds)}"
        raise Refused(f"`kind` can't be {shown(value['kind'])}", hint=hint, loc=("kind",))
    return value


Source = Annotated[
    MeasuredSource | PublishedSource | DerivedSource | AssumedSource,
    Field(discriminator="kind"),
    BeforeValidator(_with_kind),
]


# -- quantities --------------------------------------------------------------------------------------------------------


class DistributionPart(_Part):
    """How single occurrences vary around the value, as factors whose mean is 1."""

    family: Family
    cv: Number | None = None
    relative: list[Number] | None = None


def _unit(value: Any) -> Any:
    # `unit: 1` is what anyone writes for a plain number
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Quantity(_Part):
    unit: Annotated[Text, BeforeValidator(_unit)]
    low: Number | Rule | None = None
    high: Number | Rule | None = None
    distribution: DistributionPart | None = None
    source: Source
    override: bool = False

    def given(self) -> object:
        """Return what the file states as the value itself."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _complete(self) -> _Quantity:
        source = self.source
        word = "points" if isinstance(self, CurvePart) else "value"
        has_rule = isinstance(source, DerivedSource) or (isinstance(source, PublishedSource) and source.figure)
        if self.given() is None and not has_rule:
            raise Refused(f"the key {word!r} is missing", hint=f"add `{word}:`, in the unit that `unit` names")
        if self.given() is not None and isinstance(source, DerivedSource):
            raise Refused("a derived value follows from its rule", hint="leave it out", loc=(word,))
        if isinstance(source, AssumedSource) and (self.low is None or self.high is None):
            lacking = "low" if self.low is None else "high"
            raise Refused(f"an assumed value needs a range: `{lacking}` is missing", hint=f"add `{lacking}:`")
        return self


class QuantityPart(_Quantity):
    """A number of the world: value, unit, interval, spread and source."""

    value: Number | None = None

    def given(self) -> object:
        """Return the value, if the file states one."""
        return self.value


def _eleven(points: list[float]) -> list[float]:
    if len(points) != LOADS:
        raise Refused(f"a power curve has {LOADS} points, from idle to full load, not {len(points)}")
    return points


_LENGTH = Field(json_schema_extra={"minItems": LOADS, "maxItems": LOADS})
Points = Annotated[list[Number], AfterValidator(_eleven), _LENGTH]


class CurvePart(_Quantity):
    """Power in watts at 0, 10, …, 100 % load; `low` and `high` are those of the last point."""

    points: Points | None = None

    def given(self) -> object:
        """Return the points, if the file states them."""
        return self.points


_EXAMPLE = '`{value: 3, unit: %s, low: 2, high: 5, source: {kind: assumed, why: "…"}}`'


@cache
def _quantity(field: str, curve: bool) -> Any:
    """Return the annotation of a quantity in the field `field`, with its units checked."""
    base = base_unit(field)
    example = _EXAMPLE % (f'"{base}"' if base == "1" else base or "s")

    def mapping(value: Any) -> Any:
        if isinstance(value, Mapping):
            return value
        raise Refused(f"`{field}` must state value, unit and source, not {shown(value)}", hint=f"write {example}")

    part = CurvePart if curve else QuantityPart
    if base is None or has_currency(field):
        return Annotated[part, BeforeValidator(mapping)]

    def unit(value: str) -> str:
        unit_factor(value, base)  # raises Refused
        return value

    units = {"anyOf": [{"enum": units_of(base)}, *([{"const": 1}] if base == "1" else [])]}
    checked = Annotated[Text, BeforeValidator(_unit), AfterValidator(unit), WithJsonSchema(units)]
    return Annotated[_model(part, base, checked), BeforeValidator(mapping)]


_MODELS: dict[tuple[type, str], Any] = {}


def _model(part: type[BaseModel], base: str, unit: Any) -> Any:
    """Return the model of quantities measured in `base`, one for all fields: it is in the schema once."""
    if (part, base) not in _MODELS:
        name = "Number" if base == "1" else base.replace("/", "_per_").replace("-", "_")
        name = "PowerCurve" if part is CurvePart else f"Quantity_{name}"
        _MODELS[part, base] = create_model(name, __base__=part, __doc__=part.__doc__, unit=(unit, ...))
    return _MODELS[part, base]


# -- things ------------------------------------------------------------------------------------------------------------


@cache
def _thing(cls: type, *, named: bool = False) -> Any:
    """Return the model of a dataclass of the model; `named` things may be made `like` another one."""
    fields: dict[str, Any] = {}
    for name, (kind, _) in field_types(cls).items():
        if name != "name":
            fields[name] = (_annotation(cls, name, kind) | None, None)
    if named:
        fields["like"] = (Name | None, Field(None, description="Take over what that one states, and change the rest."))
    doc = (cls.__doc__ or "").partition("\n\n")[0]
    return create_model(f"{cls.__name__}Part", __base__=_Part, __doc__=doc, **fields)


def _annotation(cls: type, field: str, kind: Any) -> Any:
    if kind is Quantity:
        return _quantity(field, curve=cls is Machine and field == "power_w")
    if kind is Chassis:
        return Name
    if dataclasses.is_dataclass(kind):
        return _thing(typing.cast("type", kind))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and arguments[0] is Layer:
        return Annotated[list[Name], Field(min_length=1)]
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Mapping)):
        below = arguments[0] if origin is tuple else arguments[1]
        return dict[Name, _thing(below) | None]  # type: ignore[misc]  # null takes out what is there
    if origin is frozenset:
        return list[Name]
    return Text if kind is str else kind


class FigurePart(_Part):
    """A published figure, in the unit of its source; several numbers are taken by index, from 0."""

    value: float | Annotated[list[float], Field(min_length=1)] | Text
    unit: Annotated[Text, BeforeValidator(_unit)]
    citation: Text
    place: Text | None = None
    quantity: Text | None = None
    platform: Text | None = None
    conditions: Text | None = None
    confidence: Literal["high", "medium", "low"] | None = None


class _ProfileFile(_Part):
    """Numbers of the world with their sources, and the layers, stacks and machines that they describe."""

    format: Literal["vsim.profile/1"] = Field(alias="schema")
    extends: Literal["builtin"] | None = Field(None, description="The profile that this one is put on top of.")
    citations: dict[Name, Text] | None = None
    figures: dict[Name, FigurePart] | None = None


def _named(kind: Any, description: str | None = None) -> Any:
    return (dict[Name, kind] | None, Field(None, description=description))


ProfileFile: Any = create_model(
    "ProfileFile",
    __base__=_ProfileFile,
    __doc__=_ProfileFile.__doc__,
    reference=_named(_quantity("", curve=False), "Quantities that only rules use, and plans in simulated time."),
    site=(_thing(Site) | None, None),
    layers=_named(_thing(Layer, named=True)),
    chassis=_named(_thing(Chassis, named=True)),
    stacks=_named(_thing(Stack, named=True)),
    machines=_named(_thing(Machine, named=True)),
    images=_named(_thing(CataloguedImage, named=True), "What common application images need."),
    registries=_named(_thing(Registry, named=True), "Where images are pulled from."),
    pullers=_named(_thing(Puller, named=True), "How container engines pull images."),
    builders=_named(_thing(Builder, named=True), "What building an image costs beside its commands."),
    emulators=_named(_thing(Emulator, named=True), "What emulating a foreign processor costs."),
    supervision=_named(_thing(Supervision, named=True), "By layer: what checking, stopping and removing costs."),
    orchestrators=_named(_thing(Orchestrator, named=True), "What brings applications up."),
)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile file."""
    schema: dict[str, Any] = ProfileFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": SCHEMA}
