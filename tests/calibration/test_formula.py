"""Rules: what they compute, over values, curves and intervals, and what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsim.calibration.formula import Formula, FormulaError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("(a + b) / 2", 3.0),
        ("a ** 2 - -b", 8.0),
        ("min(a, b, 3)", 2.0),
        ("max(a, b)", 4.0),
        ("sqrt(b)", 2.0),
        ("list[2] / list[0]", 9.0),
        ("1.0e-11 * 1e11", 1.0),
    ],
)
def test_a_rule_has_its_value(text: str, value: float) -> None:
    assert Formula(text).evaluate({"a": 2.0, "b": 4.0, "list": (1.0, 5.0, 9.0)}) == pytest.approx(value)


def test_a_rule_over_a_curve_is_evaluated_point_by_point() -> None:
    assert Formula("2 + curve * k").evaluate({"curve": (0.0, 1.0, 3.0), "k": 2.0}) == (2.0, 4.0, 8.0)
    assert Formula("2 + curve[1] * k").evaluate({"curve": (0.0, 1.0, 3.0), "k": 2.0}) == 4.0


def test_names_are_listed_once_in_order() -> None:
    assert Formula("b + a * b[0]").names == ("b", "a")


def test_the_interval_is_that_of_the_corners() -> None:
    # 10 / 2: from 8 / 4 to 12 / 1
    low, high = Formula("a / b").interval({"a": 10.0, "b": 2.0}, {"a": (8.0, 12.0), "b": (1.0, 4.0)})
    assert (low, high) == (2.0, 12.0)


@given(
    a=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)).map(sorted),
    b=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)).map(sorted),
    at=st.floats(0, 1),
)
def test_no_value_within_the_inputs_intervals_lies_outside_the_rules(a: list[float], b: list[float], at: float) -> None:
    rule = Formula("(a + 1) * a / b - b")
    inputs = {"a": a[0] + at * (a[1] - a[0]), "b": b[0] + (1 - at) * (b[1] - b[0])}
    low, high = rule.interval(inputs, {"a": (a[0], a[1]), "b": (b[0], b[1])})
    value = rule.evaluate(inputs)
    assert isinstance(value, float)
    assert low - 1e-9 <= value <= high + 1e-9


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "__import__('os')",
        "a.b",
        "a if b else c",
        "a < b",
        "[1, 2]",
        "lambda: 1",
        "exec('1')",
        "a[b]",
        "a[-1]",
        "a['x']",
        "min()",
        "min(a)",
        "sqrt(a, b)",
        "True",
        "'text'",
        "1j",
        "a // b",
        "f'{a}'",
        "",
        "(" * 300,
        "+".join(["1"] * 400),
        "1e9999",
    ],
)
def test_a_rule_is_arithmetic_and_nothing_else(text: str) -> None:
    with pytest.raises(FormulaError):
        Formula(text).evaluate({"a": 1.0, "b": 2.0, "c": 3.0})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / (a - 1)", "can't be computed"),
        ("sqrt(0 - a)", "can't be computed"),
        ("9 ** 9 ** 9", "can't be computed"),
        ("unknown + 1", "neither a figure nor one of the rule's inputs"),
        ("a[0]", "is one number and takes no index"),
        ("list[3]", "has 3 values"),
        ("list + longer", "different lengths"),
    ],
)
def test_a_rule_without_a_value_says_why(text: str, reason: str) -> None:
    with pytest.raises(FormulaError, match=reason):
        Formula(text).evaluate({"a": 1.0, "list": (1.0, 2.0, 3.0), "longer": (1.0, 2.0, 3.0, 4.0)})
