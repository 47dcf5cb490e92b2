"""A result as a notebook shows it: a table, what differs drawn as bars, and what the numbers rest on."""

from __future__ import annotations

import base64
import html

from vsim.samples.bars import bars_of, worth_drawing
from vsim.samples.human import format_estimate
from vsim.samples.metrics import METRICS
from vsim.samples.result import KINDS, Result
from vsim.samples.svg import to_svg

__all__ = ["to_html"]


def to_html(result: Result) -> str:
    """Return HTML without scripts or styles of its own; every name in it is escaped."""
    names = [one.name for one in result.architectures]
    rows = [
        (metric.title, [one.metrics.get(metric.name) for one in result.architectures], metric.name)
        for metric in METRICS.values()
        if any(metric.name in one.metrics for one in result.architectures)
    ]
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{_text(title)}</th>'
        + "".join(
            f"<td>{'–' if estimate is None else _text(format_estimate(metric, estimate))}</td>"
            for estimate in estimates
        )
        + "</tr>"
        for title, estimates, metric in rows
    )
    pictures = "".join(_picture(result, metric) for metric in worth_drawing(result))
    intervals = "1 replication" if result.replications == 1 else f"{result.replications} replications, ± 95 %"
    counts = ", ".join(f"{sum(p.kind == kind for p in result.parameters)} {kind}" for kind in KINDS)
    rests = f"seed {result.seed} · {intervals} · profile {_text(result.profile.get('name', ''))} · parameters: {counts}"
    return (
        f"<div><p><strong>{_text(result.scenario.get('title', 'Result'))}</strong></p>"
        f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<details><summary>What differs, drawn</summary>{pictures or '<p>Nothing differs.</p>'}</details>"
        f"<p>{rests}</p></div>"
    )


def _picture(result: Result, metric: str) -> str:
    bars = bars_of(result, metric)
    said = "; ".join(f"{bar.label} {bar.text}" for bar in bars.bars)
    alt = f"{bars.title}: {said}"
    # as an image, so that nothing in it meets the page's own names and styles
    data = base64.b64encode(to_svg(bars, alt=alt).encode()).decode()
    return (
        f"<figure><figcaption>{_text(bars.title)}</figcaption>"
        f'<img alt="{_text(alt)}" src="data:image/svg+xml;base64,{data}"/></figure>'
    )


def _text(text: object) -> str:
    return html.escape("".join(c if c.isprintable() else " " for c in str(text)), quote=True)
