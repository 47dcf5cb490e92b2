"""Quantities, sources and distributions: what they refuse, and what they compute."""

from __future__ import annotations

import math

import pytest

from vsim.model.layer import MemoryCost, Stage
from vsim.model.quantity import Distribution, Quantity, Source, quantities

WHY = Source(kind="assumed", why="a test")


def quantity(value: float = 2.0, low: float = 1.0, high: float = 4.0, **more: object) -> Quantity:
    return Quantity("a.b", value, "s", WHY, low, high, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({"kind": "measured", "run": "r", "host": "h", "date": "2026-01-01"}, "must state n"),
        ({"kind": "measured", "run": "r", "n": 3}, "host and date"),
        ({"kind": "published"}, "citation"),
        ({"kind": "derived"}, "rule"),
        ({"kind": "assumed"}, "why"),
        ({"kind": "guessed"}, "unknown kind"),
    ],
)
def test_a_source_states_what_its_kind_needs(fields: dict[str, object], lacking: str) -> None:
    with pytest.raises(ValueError, match=lacking):
        Source(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((math.nan, 0, 1), "not a finite number"),
        ((1, 0, math.inf), "not a finite number"),
        ((-1, -2, 0), "negative"),
        ((3, 4, 5), "outside its interval"),
        ((6, 4, 5), "outside its interval"),
    ],
)
def test_a_quantity_refuses_what_cannot_be(numbers: tuple[float, float, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        quantity(*numbers)


def test_another_value_widens_the_interval_only_if_it_lies_outside() -> None:
    assert (quantity().with_value(3.0).low, quantity().with_value(3.0).high) == (1.0, 4.0)
    assert (quantity().with_value(5.0).low, quantity().with_value(5.0).high) == (1.0, 5.0)
    assert (quantity().with_value(0.5).low, quantity().with_value(0.5).high) == (0.5, 4.0)


def test_a_curve_keeps_its_shape() -> None:
    curve = quantity(4.0, shape=(0.25, 0.5, 1.0))
    assert curve.points == (1.0, 2.0, 4.0)
    assert curve.with_value(8.0).points == (2.0, 4.0, 8.0)
    assert quantity().points == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"family": "normal"}, "unknown family"),
        ({"family": "gamma", "cv": -1.0}, "coefficient of variation"),
        ({"family": "gamma", "cv": math.nan}, "coefficient of variation"),
        ({"family": "exponential", "cv": 0.5}, "coefficient of variation 1"),
        ({"family": "empirical"}, "needs `relative`"),
        ({"family": "lognormal", "relative": (1.0,)}, "no other takes it"),
        ({"family": "empirical", "relative": (1.0, 2.0)}, "mean 1"),
    ],
)
def test_a_distribution_refuses_what_it_cannot_draw_from(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Distribution(**fields)  # type: ignore[arg-type]


def test_quantities_are_found_however_deep() -> None:
    one, two, three = quantity(), quantity(3.0), quantity(1.0)
    nested = {"x": (Stage("boot", cpu_core_s=one), MemoryCost(unit_bytes=two)), "y": [three, "text", 5]}
    assert list(quantities(nested)) == [one, two, three]
