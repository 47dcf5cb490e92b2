"""From what profile files say to quantities: rules computed, units converted, sources written out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vsim.calibration.formula import Formula, FormulaError, Value
from vsim.calibration.specification import Figure, ProfileError, Specification
from vsim.calibration.units import base_unit, reason_against, unit_factor
from vsim.model.quantity import Quantity, Source
from vsim.scenario.validation import Refused, did_you_mean

__all__ = ["LOADS", "Resolver"]

# The load at a power curve's points, for rules that draw a curve.
LOADS = 11
_LOAD = tuple(point / (LOADS - 1) for point in range(LOADS))
_CURVES = frozenset({("machines", "power_w")})
_INDEXED = re.compile(r"^(?P<name>[^\[\]]+)(?:\[(?P<index>\d+)\])?$")


class Resolver:
    """Computes quantities from their specifications, each after the inputs of its rule.

    `pinned` maps names to values (in base units) that replace what the specification gives; what depends on them
    follows. `known` are quantities that need no computing, because they are those of an earlier resolution and nothing
    that they depend on has changed.
    """

    def __init__(
        self,
        specifications: Mapping[str, Specification],
        figures: Mapping[str, Figure],
        citations: Mapping[str, str],
        currency: str,
        pinned: Mapping[str, float],
        known: Mapping[str, Quantity] | None = None,
    ) -> None:
        self._specifications = specifications
        self._figures = figures
        self._citations = citations
        self._currency = currency
        self._pinned = pinned
        self._done: dict[str, Quantity] = dict(known or {})
        self._open: list[str] = []

    def all(self) -> dict[str, Quantity]:
        """Return every quantity, in the order of the specifications.

        Raises ProfileError for a rule that can't be computed, a cycle of rules, a unit that doesn't fit, an interval
        that doesn't hold the value, an unknown figure or citation.
        """
        return {name: self._quantity(name) for name in self._specifications}

    def _quantity(self, name: str) -> Quantity:
        if name in self._done:
            return self._done[name]
        specification = self._specifications[name]
        if name in self._open:
            cycle = " → ".join([*self._open[self._open.index(name) :], name])
            raise ProfileError(specification.path, f"cyclic rules: {cycle}")
        self._open.append(name)
        try:
            quantity = self._compute(specification)
        except (FormulaError, ValueError) as error:
            if isinstance(error, ProfileError):
                raise
            raise ProfileError(specification.path, f"{name}: {error}") from None
        self._open.pop()
        if name in self._pinned:
            quantity = quantity.with_value(self._pinned[name])
        reason = reason_against(specification.path[-1], quantity.low, quantity.high)
        if reason:
            raise ProfileError(specification.path, f"{name}: {reason}")
        self._done[name] = quantity
        return quantity

    def _compute(self, specification: Specification) -> Quantity:
        unit, scale = self._unit(specification)
        source = self._source(specification)
        value, low, high = self._values(specification)
        curve = (specification.path[0], specification.path[-1]) in _CURVES
        if curve != isinstance(value, tuple):
            raise ValueError(f"give {LOADS} `points`" if curve else "one number is wanted, not a list")
        shape: tuple[float, ...] = ()
        if isinstance(value, tuple):
            if len(value) != LOADS:
                raise ValueError(f"a power curve has {LOADS} points, from idle to full load, not {len(value)}")
            if not value[-1] > 0 or min(value) < 0:
                raise ValueError("a power curve is positive")
            shape = tuple(point / value[-1] for point in value)
            value = value[-1]
        return Quantity(
            name=specification.name,
            value=value * scale,
            unit=unit,
            source=source,
            low=low * scale,
            high=high * scale,
            distribution=specification.distribution,
            shape=shape,
        )

    def _unit(self, specification: Specification) -> tuple[str, float]:
        base = base_unit(specification.path[-1], self._currency)
        if base is None:
            return specification.unit, 1.0
        try:
            return base, unit_factor(specification.unit, base)
        except Refused as error:
            raise ProfileError((*specification.path, "unit"), str(error), error.hint) from None

    def _values(self, specification: Specification) -> tuple[Value, float, float]:
        """Return value (or curve), low and high, in the unit of the specification."""
        rule = specification.rule
        if specification.points:
            value: Value = specification.points
            low = high = specification.points[-1]
        elif specification.value is not None:
            value = low = high = specification.value
        elif rule is not None:
            formula = Formula.of(rule)
            inputs, bounds = self._inputs(specification, formula)
            value = formula.evaluate(inputs)
            low, high = formula.interval(inputs, bounds)
        else:
            raise ValueError("state `value`, or a rule or a figure that gives it")
        if specification.low is not None:
            low = self._bound(specification, specification.low, value)
        if specification.high is not None:
            high = self._bound(specification, specification.high, value)
        return value, low, high

    def _bound(self, specification: Specification, bound: float | str, value: Value) -> float:
        if not isinstance(bound, str):
            return bound
        formula = Formula.of(bound)
        inputs, _ = self._inputs(specification, formula)
        inputs["value"] = value[-1] if isinstance(value, tuple) else value
        result = formula.evaluate(inputs)
        return result[-1] if isinstance(result, tuple) else result

    def _inputs(
        self, specification: Specification, formula: Formula
    ) -> tuple[dict[str, Value], dict[str, tuple[float, float]]]:
        inputs: dict[str, Value] = {}
        bounds: dict[str, tuple[float, float]] = {}
        for name in formula.names:
            if name in ("value", "load"):
                inputs["load"] = _LOAD
                continue
            target = specification.inputs.get(name, name)
            if target in self._specifications:
                quantity = self._quantity(target)
                inputs[name] = quantity.points or quantity.value
                bounds[name] = (quantity.low, quantity.high)
            else:
                inputs[name] = self._figure_value(specification, target)
        return inputs, bounds

    def _figure_value(self, specification: Specification, target: str) -> Value:
        figure = self._figure(specification, target)
        match = _INDEXED.match(target)
        if isinstance(figure.value, str):
            raise ValueError(f"the figure {figure.name} is a formula: {figure.value!r} has no number to compute with")
        if match is None or match["index"] is None:
            return figure.value
        if not isinstance(figure.value, tuple) or int(match["index"]) >= len(figure.value):
            raise ValueError(f"the figure {figure.name} has no number {match['index']}")
        return figure.value[int(match["index"])]

    def _figure(self, specification: Specification, target: str) -> Figure:
        match = _INDEXED.match(target)
        name = match["name"] if match else target
        if name not in self._figures:
            known = [*self._figures, *self._specifications]
            raise ProfileError(
                (*specification.path, "source"),
                f"{name!r} is neither a figure nor a quantity of this profile",
                did_you_mean(name, known),
            )
        return self._figures[name]

    def _source(self, specification: Specification) -> Source:
        given = {key: value for key, value in specification.source.items() if key not in ("figure", "inputs")}
        inputs = tuple(self._named(specification))
        if specification.kind == "published":
            target = specification.source.get("figure")
            if target is not None:
                figure = self._figure(specification, str(target))
                stated = (part for part in (figure.platform, figure.conditions) if part not in ("", "none stated"))
                conditions = "; ".join(stated)
                given |= {"citation": figure.citation, "place": figure.place, "conditions": conditions}
                inputs = (figure.name, *(name for name in inputs if name != figure.name))
            given["citation"] = self._citation(specification, str(given.get("citation", "")))
        return Source(**given, inputs=inputs)  # type: ignore[arg-type]  # validated against Source's fields

    def _named(self, specification: Specification) -> list[str]:
        """Return the names of all that the rules of value and interval take, each once."""
        rules = [specification.rule, specification.low, specification.high]
        names: dict[str, None] = {}
        for rule in rules:
            if isinstance(rule, str):
                for name in Formula.of(rule).names:
                    if name not in ("value", "load"):
                        names[specification.inputs.get(name, name)] = None
        return list(names)

    def _citation(self, specification: Specification, text: str) -> str:
        if text in self._citations or " " in text:
            return self._citations.get(text, text)
        raise ProfileError(
            (*specification.path, "source"),
            f"there is no citation {text!r}: state it under `citations`, or in full",
            did_you_mean(text, self._citations),
        )
