"""No number of the world stands in vsim/model or vsim/engine: it comes from the profile, with its source.

Every literal other than 0, 1 and 2 (and their negatives) fails, unless it is listed here with the reason why it isn't
a property of the world. A listed one that is gone fails as well, so that the list stays true.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import vsim

PACKAGE = Path(vsim.__file__).parent
FOLDERS = ("model", "engine")
FREE = (0, 1, 2)

# Where (module: function, class or module-level name) -> the literals there, and why they may be there.
ALLOWED: dict[str, tuple[set[float], str]] = {
    "engine/capacity.py:_ROUNDING": ({1e-15}, "the rounding of a double, by definition of the format"),
    "engine/capacity.py:_Group.drop_cancelled": ({8}, "when a heap is cleaned up: speed, not results"),
    "engine/cluster.py:_HOSTS_AT_A_TIME": ({1000}, "how many hosts start on one clock: speed"),
    "engine/cluster.py:_gib": ({30}, "2**30 bytes are a GiB, for a message"),
    "engine/demand.py:_PERCENT": ({95, 100}, "the percentiles that a scenario may name"),
    "engine/failures.py:SECONDS_PER_YEAR": ({365, 86400}, "unit"),
    "engine/health.py:_ENOUGH_CHECKS": ({1000}, "how many checks that pass are simulated: speed"),
    "engine/health.py:_MOST_CHECKS": ({10_000}, "how many checks that fail are simulated before it is given up"),
    "engine/placement.py:SLACK": ({1e-9}, "rounding of sums of reserved cores"),
    "engine/placement.py:FirstFit._grow": ({4}, "size of a segment tree, twice the next power of two"),
    "engine/plans/disk.py:_Disk.run": ({0.5, 0.95, 0.99}, "the percentiles that the metrics are named after"),
    "engine/plans/disk.py:_ENOUGH": ({20_000}, "how many operations are simulated: speed"),
    "engine/plans/executor.py:_STEP_BITS": ({32}, "how numbers of steps are told apart in seeds"),
    "engine/plans/executor.py:_run_id": ({16}, "the length of a name"),
    "engine/plans/requests.py:_Requests.run": ({0.5, 0.95, 0.99}, "the percentiles that the metrics are named after"),
    "engine/run.py:JOULES_PER_WATT_HOUR": ({3600}, "unit"),
    "engine/run.py:_COLLECTOR": ({100_000, 50, 100}, "Python's garbage collector: speed, not results"),
    "engine/run.py:_quantiles": ({50, 95, 99}, "the percentiles that the metrics are named after"),
    "engine/variates.py:_BLOCK": ({256}, "how many variates are drawn at once"),
    "model/power.py:MONTHS_PER_YEAR": ({12}, "unit"),
    "model/power.py:HOURS_PER_MONTH": ({8760}, "unit: hours of a year over its months"),
    "model/power.py:WATTS_PER_KILOWATT": ({1000}, "unit"),
    "model/quantity.py:Distribution.__post_init__": ({1e-6}, "how exactly given factors must have the mean 1"),
    "model/student.py:student_t": ({0.95}, "the level of an interval that nobody names another one for"),
    "model/student.py:student_t_central": ({3}, "where the sum of the closed form begins"),
    "model/waves.py:_TOGETHER": ({1e-12}, "rounding of sums of spans of time"),
    "model/workload.py:Arrivals": ({10, 0.1, 5}, "what `bursty` means where a scenario doesn't say: a user's load"),
}
# A plan says what an experimenter asks of a host (how many starts, how many bytes), not what the host answers.
EXEMPT = {"model/plan.py"}


def literals(source: str, module: str) -> Iterator[tuple[str, int, float]]:
    """Yield where, on which line and what, for each number in the source that isn't free."""
    yield from _below(ast.parse(source), module, "", "")


def _below(node: ast.AST, module: str, scope: str, name: str) -> Iterator[tuple[str, int, float]]:
    for child in ast.iter_child_nodes(node):
        below, called = scope, name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            below = f"{scope}.{child.name}" if scope else child.name
        elif not scope and isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            called = ", ".join(ast.unparse(target) for target in targets)
        number = _number(child)
        if number is not None and abs(number) not in FREE:
            yield f"{module}:{below or called}", child.lineno, number  # type: ignore[attr-defined]
        yield from _below(child, module, below, called)


def _number(node: ast.AST) -> float | None:
    """Return the number that a node is: a literal, or a text made into a number."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("float", "int", "Decimal", "Fraction")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and node.args[0].value.lower().lstrip("+-") not in ("inf", "nan")
    ):
        return float(node.args[0].value)
    return None


def modules() -> list[str]:
    found = [path.relative_to(PACKAGE).as_posix() for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py")]
    return sorted(set(found) - EXEMPT)


def complaints(source: str, module: str) -> list[str]:
    return [
        f"vsim/{module}:{line}: {number:g} in {where.partition(':')[2]} (put it into the profile, with its source)"
        for where, line, number in literals(source, module)
        if number not in ALLOWED.get(where, (set(), ""))[0]
    ]


@pytest.mark.parametrize("module", modules())
def test_no_number_enters_past_the_profile(module: str) -> None:
    assert complaints((PACKAGE / module).read_text(encoding="utf-8"), module) == []


def test_what_is_listed_is_there() -> None:
    found: dict[str, set[float]] = {}
    for module in modules():
        for where, _, number in literals((PACKAGE / module).read_text(encoding="utf-8"), module):
            found.setdefault(where, set()).add(number)
    stale = {where: numbers - found.get(where, set()) for where, (numbers, _) in ALLOWED.items()}
    assert {where: numbers for where, numbers in stale.items() if numbers} == {}
    assert all(reason for _, reason in ALLOWED.values())


@pytest.mark.parametrize(
    ("planted", "number"),
    [
        ("BOOT_S = 25", 25),
        ("def startup(self):\n    return self.work * 1.07", 1.07),
        ("class Layer:\n    overhead: float = 0.5", 0.5),
        ("def wait(seconds=30): ...", 30),
        ("SIZES = {'page': 4096}", 4096),
        ("def f():\n    return float('0.3')", 0.3),
        ("def f(x):\n    return -7 * x", 7),
        ("x = [n for n in range(3)]", 3),
        # a name that is allowed elsewhere is not allowed here
        ("SECONDS_PER_YEAR = 365 * 86400.0", 365),
    ],
)
def test_a_planted_number_is_found(planted: str, number: float) -> None:
    found = complaints(textwrap.dedent(planted), "engine/planted.py")
    assert any(f" {number:g} in " in complaint for complaint in found)


def test_an_allowed_place_takes_its_own_numbers_only() -> None:
    assert complaints("JOULES_PER_WATT_HOUR = 3600.0", "engine/run.py") == []
    assert len(complaints("JOULES_PER_WATT_HOUR = 3500.0", "engine/run.py")) == 1
    # nor does a function hide a number behind the name of a constant
    assert len(complaints("def f():\n    JOULES_PER_WATT_HOUR = 3600.0", "engine/run.py")) == 1


def test_what_carries_no_information_is_free() -> None:
    assert complaints("x = [-1.0, 0, 2 * n, True, float('inf')]\ntext = '42'\n", "engine/planted.py") == []
