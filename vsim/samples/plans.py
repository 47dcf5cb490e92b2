"""Plans as plain data: how the record of a run holds what was done."""

from __future__ import annotations

import dataclasses
from typing import Any

from vsim.errors import InputError
from vsim.model.plan import STEPS, Plan

__all__ = ["plan_from_data", "plan_to_data"]


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON holds it; each step says which suite it belongs to."""
    data = dataclasses.asdict(plan)
    data["steps"] = [{"suite": step.suite, **dataclasses.asdict(step)} for step in plan.steps]
    return data


def plan_from_data(data: Any) -> Plan:
    """Return the plan that :func:`plan_to_data` wrote. Raises InputError for anything else."""
    try:
        values = dict(data)
        steps = []
        for entry in values.pop("steps"):
            fields = dict(entry)
            steps.append(STEPS[fields.pop("suite")](**fields))
        return Plan(steps=tuple(steps), **values)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the plan in the run record can't be used: {error}", hint="it was written by another version of vsim"
        ) from None
