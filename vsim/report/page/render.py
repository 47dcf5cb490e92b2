"""From a study to one HTML file: no server, no network, nothing beside it.

The page's own policy (a Content Security Policy in its head) allows exactly the style and the script that are in it, by
their digests, and forbids every request. The data is JSON in a block that is not a script, with all that could end the
block or the line escaped; texts in the HTML are escaped by the template, those of the script become text nodes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any

from vsim.experiment.findings import findings
from vsim.report.page.collect import collect
from vsim.report.page.study import Study
from vsim.samples.human import format_estimate
from vsim.samples.metrics import METRICS
from vsim.samples.result import KINDS, Result

__all__ = ["build"]

_SCRIPTS = ("state.js", "numbers.js", "views.js", "fleet.js", "controls.js")
_MEANS = {
    "measured": "from samples of a real host",
    "published": "from a paper, a specification or a data sheet",
    "derived": "computed from others by a rule",
    "assumed": "nobody measured them; each with a reason and a range",
}


def build(study: Study) -> str:
    """Return the page as HTML. The same study makes the same text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    style = _file("page.css")
    script = f'(() => {{\n"use strict";\n{"".join(map(_file, _SCRIPTS))}}})();\n'
    result = study.result
    replications = sorted({point.replications for point in study.points})
    span = f"{replications[0]}" if len(replications) == 1 else f"{replications[0]} to {replications[-1]}"
    page = environment.from_string(
        _file("page.html.j2")
    ).render(
        title=study.scenario.title,
        name=study.scenario.name,
        policy=_policy(style, script),
        style=Markup(style),  # a file of this package
        script=Markup(script),  # files of this package
        data=Markup(in_html(collect(study))),  # escaped for where it stands
        result=result,
        digest=str(result.profile.get("sha256", ""))[:12],
        axes=study.axes,
        metrics=_metrics(result),
        findings=findings(result),
        kinds=[
            {"name": kind, "means": _MEANS[kind], "parameters": [p for p in result.parameters if p.kind == kind]}
            for kind in KINDS
        ],
        total=len(result.parameters),
        replications=f"{span} replication{'' if span == '1' else 's'}",
        points=len(study.points),
    )
    # half a surrogate pair, as a file name may have it, has no form in UTF-8
    return page.encode("utf-8", "replace").decode("utf-8")


def in_html(content: object) -> str:
    """Return `content` as JSON that can stand in HTML and in a script: ASCII, without a character of markup."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _file(name: str) -> str:
    return resources.files("vsim.report.page").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    sources = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (style, script)
    )
    return "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'".format(
        *sources
    )


def _metrics(result: Result) -> list[dict[str, Any]]:
    """Return the table that is there without scripts: the result's own metrics."""
    rows = []
    for name, metric in METRICS.items():
        if any(name in one.metrics for one in result.architectures):
            texts = [
                format_estimate(name, one.metrics[name]) if name in one.metrics else "–" for one in result.architectures
            ]
            rows.append({"title": metric.title, "texts": texts})
    return rows
