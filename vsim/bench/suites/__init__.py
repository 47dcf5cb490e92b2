"""The suites: every module here with a SUITE. Its name is that of the plan's steps that it carries out."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import Step

__all__ = ["Context", "Demand", "Suite", "all_suites", "suite_of"]


@functools.cache
def all_suites() -> Mapping[str, Suite]:
    """Return the suites by name."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    suites = (getattr(module, "SUITE", None) for module in modules)
    return {suite.name: suite for suite in suites if isinstance(suite, Suite)}


def suite_of(step: Step) -> Suite:
    """Return the suite that carries `step` out. Raises KeyError when there is none."""
    return all_suites()[step.suite]
