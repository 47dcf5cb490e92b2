"""Arithmetic rules of derived quantities: parsed once, evaluated over values and over intervals.

A rule is an expression of numbers, names, ``+ - * / **``, parentheses, ``min``, ``max`` and ``sqrt``. A name may carry
an index (``blade_m1000e[2]``) when it stands for a list. Nothing else of Python is accepted: no attribute, no call of
anything else, no comparison.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

__all__ = ["Formula", "FormulaError", "Value"]

# A list stands for a curve: a rule over it is evaluated point by point.
Value = float | tuple[float, ...]

_LONGEST_TEXT = 500
_MOST_UNCERTAIN_INPUTS = 10  # 2**10 corners; the rules of a profile have three or four

_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: math.pow,
    }
)
_FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType({"min": min, "max": max, "sqrt": math.sqrt})


class FormulaError(ValueError):
    """A rule that can't be read, or that has no value for its inputs."""


class Formula:
    """An arithmetic rule. `names` lists what it takes, in order of appearance, each once."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST_TEXT:
            raise FormulaError(f"a rule has at most {_LONGEST_TEXT} characters")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise FormulaError(f"{text!r} is not an arithmetic expression") from None
        self.text = text
        names: dict[str, None] = {}
        self._compute = _compile(tree, names)
        self.names = tuple(names)

    @staticmethod
    @lru_cache(maxsize=4096)
    def of(text: str) -> Formula:
        """Return the formula of `text`, parsed once."""
        return Formula(text)

    def evaluate(self, inputs: Mapping[str, Value]) -> Value:
        """Return the rule's value: a number, or a curve when an input is used as a whole curve.

        Raises FormulaError when a name is unknown, an index is out of range, curves differ in length, or the
        arithmetic has no finite value (a division by zero, the root of a negative number).
        """
        lengths: set[int] = set()
        try:
            first = self._compute(inputs, 0, lengths)
            if len(lengths) > 1:
                raise FormulaError(f"{self.text!r} mixes curves of different lengths")
            if not lengths:
                return _finite(first, self.text)
            points = (first, *(self._compute(inputs, point, lengths) for point in range(1, lengths.pop())))
            return tuple(_finite(point, self.text) for point in points)
        except FormulaError:
            raise
        except (ArithmeticError, ValueError) as error:
            raise FormulaError(f"{self.text!r} can't be computed: {error}") from None

    def interval(self, inputs: Mapping[str, Value], bounds: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
        """Return the least and the greatest value over all corners of the inputs' intervals (last point of a curve).

        Exact for rules that are monotonic in each input, as the sums, products and ratios of a profile are.
        """
        uncertain = [name for name in self.names if name in bounds and bounds[name][0] < bounds[name][1]]
        if len(uncertain) > _MOST_UNCERTAIN_INPUTS:
            raise FormulaError(f"{self.text!r} has more than {_MOST_UNCERTAIN_INPUTS} uncertain inputs")
        results = [_last(self.evaluate(inputs))]
        for corner in itertools.product(*(bounds[name] for name in uncertain)):
            moved = {name: _move(inputs[name], number) for name, number in zip(uncertain, corner, strict=True)}
            results.append(_last(self.evaluate({**inputs, **moved})))
        return min(results), max(results)


_Compute = Callable[[Mapping[str, Value], int, set[int]], float]


def _compile(node: ast.expr, names: dict[str, None]) -> _Compute:
    """Return a function that computes `node` for inputs and a point of their curves; collect the names it takes."""
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            constant = float(number)
            return lambda inputs, point, lengths: constant
        case ast.Name(id=name):
            names[name] = None
            return lambda inputs, point, lengths: _pick(inputs, name, point, lengths)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as index)):
            names[name] = None
            return lambda inputs, point, lengths: _item(inputs, name, index)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compile(operand, names)
            return lambda inputs, point, lengths: -inner(inputs, point, lengths)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            apply = _OPERATORS[type(op)]
            a, b = _compile(left, names), _compile(right, names)
            return lambda inputs, point, lengths: apply(a(inputs, point, lengths), b(inputs, point, lengths))
        case ast.Call(func=ast.Name(id=function), args=[_, *_] as args, keywords=[]) if function in _FUNCTIONS:
            if (function == "sqrt") != (len(args) == 1):
                raise FormulaError(f"{function} takes {'one number' if function == 'sqrt' else 'two numbers or more'}")
            call, parts = _FUNCTIONS[function], [_compile(arg, names) for arg in args]
            return lambda inputs, point, lengths: call(*(part(inputs, point, lengths) for part in parts))
    raise FormulaError(
        f"{ast.unparse(node)!r} is not allowed in a rule: numbers, names, + - * / **, min, max, sqrt are"
    )


def _pick(inputs: Mapping[str, Value], name: str, point: int, lengths: set[int]) -> float:
    value = _named(inputs, name)
    if isinstance(value, tuple):
        lengths.add(len(value))
        if point >= len(value):
            raise FormulaError("curves of different lengths are mixed")
        return value[point]
    return value


def _item(inputs: Mapping[str, Value], name: str, index: int) -> float:
    value = _named(inputs, name)
    if not isinstance(value, tuple):
        raise FormulaError(f"{name} is one number and takes no index")
    if index >= len(value):
        raise FormulaError(f"{name}[{index}] doesn't exist: {name} has {len(value)} values, from {name}[0]")
    return value[index]


def _named(inputs: Mapping[str, Value], name: str) -> Value:
    try:
        return inputs[name]
    except KeyError:
        raise FormulaError(f"{name!r} is neither a figure nor one of the rule's inputs") from None


def _finite(number: float, text: str) -> float:
    if not math.isfinite(number):
        raise FormulaError(f"{text!r} has no finite value")
    return number


def _last(value: Value) -> float:
    return value[-1] if isinstance(value, tuple) else value


def _move(value: Value, number: float) -> Value:
    """Return `value` with its last point at `number`: a curve keeps its shape."""
    if not isinstance(value, tuple):
        return number
    return tuple(point * number / value[-1] for point in value) if value[-1] else value
