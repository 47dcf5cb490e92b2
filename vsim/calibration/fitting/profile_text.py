"""A sheet as the text of a profile file, every quantity with its run, host, date, number of values and interval."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vsim.calibration.fitting.selection import Selected
from vsim.calibration.fitting.sheet import Estimate, Sheet

__all__ = ["profile_text"]

_ORDER = ("reference", "layers", "stacks", "machines")


def profile_text(sheet: Sheet, selected: Selected) -> str:
    """Return the profile file."""
    lines = [
        f"# What `vsim calibrate` has found in {_many(len(selected.runs), 'run')} on {selected.host.hostname}.",
        f"# Architectures: {', '.join(f'{name}@{selected.host.name}' for name in sheet.tree.get('stacks', {}))}",
        "schema: vsim.profile/1",
        "extends: builtin",
    ]
    for section in _ORDER:
        node = sheet.tree.get(section)
        if node:
            lines += ["", f"{section}:", *_lines(node, selected, "  ")]
    return "\n".join(lines) + "\n"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _lines(node: dict[str, Any], selected: Selected, indent: str) -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, Estimate):
            yield f"{indent}{key}: {_quantity(value, selected)}"
        elif isinstance(value, dict):
            yield f"{indent}{key}:" if value else f"{indent}{key}: {{}}"
            yield from _lines(value, selected, indent + "  ")
        else:
            # JSON is YAML: texts in double quotes, null, true and lists are the same in both.
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"


def _quantity(estimate: Estimate, selected: Selected) -> str:
    low, high = _number(estimate.low), _number(estimate.high)
    parts = [f"value: {_number(estimate.value)}", f"unit: {json.dumps(estimate.unit)}", f"low: {low}", f"high: {high}"]
    if estimate.distribution is not None:
        spread = estimate.distribution
        given = (
            f"relative: [{', '.join(map(_number, spread.relative))}]"
            if spread.relative
            else f"cv: {_number(spread.cv)}"
        )
        parts.append(f"distribution: {{family: {spread.family}, {given}}}")
    if estimate.assumed:
        parts.append(f"source: {{kind: assumed, why: {json.dumps(estimate.assumed, ensure_ascii=False)}}}")
    else:
        source = {
            "run": selected.run_ids,
            "host": selected.host.hostname,
            "date": selected.date,
        }
        texts = ", ".join(f"{key}: {json.dumps(text, ensure_ascii=False)}" for key, text in source.items())
        conditions = (
            f", conditions: {json.dumps(estimate.conditions, ensure_ascii=False)}" if estimate.conditions else ""
        )
        parts.append(f"source: {{kind: measured, {texts}, n: {estimate.n}{conditions}}}")
    return f"{{{', '.join(parts)}}}"


def _number(value: float) -> str:
    """Return a number of YAML 1.2: at most ten digits, and a point where there is an exponent."""
    text = f"{value:.10g}"
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return text
