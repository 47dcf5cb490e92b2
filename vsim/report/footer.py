"""The footer of a figure: where its numbers come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import vsim
from vsim.report.documents import Images, Pulls
from vsim.report.words import joined

if TYPE_CHECKING:
    from vsim.experiment.rehearsal import Ran
    from vsim.report.inputs import Document, Inputs, Simulated
    from vsim.samples.records import Run

__all__ = ["footer_of", "host_of"]


def footer_of(inputs: Inputs, besides: Collection[str] = ()) -> str:
    """Return source, host, profile, seed and version of what a figure is made from.

    `besides` are those of the profile's numbers that it is made from and the result doesn't list.
    """
    parts = [_of_result(one, besides) for one in inputs.simulated]
    if inputs.measured:
        parts.append(_of_runs(inputs.samples.runs))
    parts += [_of_document(one) for one in inputs.documents]
    return " · ".join([*parts, f"vsim {_version(inputs)}"])


def host_of(run: Run | Ran) -> str:
    """Return in a few words which host a run was made on."""
    environment = run.environment
    kind = environment.get("pi_model") or environment.get("cpu_model") or environment.get("architecture") or "a host"
    count = environment.get("cpu_cores") or environment.get("cpu_count")
    said = f"{count} × {kind}" if count and not environment.get("pi_model") else str(kind)
    hypervisor = environment.get("host_hypervisor")
    return f"{said} in {hypervisor}" if hypervisor else said


def _of_result(one: Simulated, besides: Collection[str]) -> str:
    result = one.result
    name = result.scenario.get("name") or result.scenario.get("title") or "a scenario"
    profile = f"profile {result.profile.get('name', '')} {one.numbers(besides)[:8]}"
    changed = one.changed_among(besides)
    if changed:
        profile += f", CHANGED: {_count(len(changed), 'number differs', 'numbers differ')} from the built-in one"
    return f"Simulated: {name}, {profile}, seed {result.seed}, {_count(result.replications, 'run', 'runs')} each"


def _of_runs(runs: Iterable[Run | Ran]) -> str:
    found = list(runs)
    world = "Measured" if all(run.world == "real" for run in found) else "Simulated"
    hosts = list(dict.fromkeys(host_of(run) for run in found))
    days = sorted({run.started[:10] for run in found})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    seeds = sorted({run.seed for run in found})
    said = joined(hosts) if len(hosts) < 3 else f"{len(hosts)} hosts"
    seed = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    return f"{world}: {said}, {_count(len(found), 'run', 'runs')}, {when}, {seed}"


def _of_document(one: Document) -> str:
    content = one.content
    if isinstance(content, Images):
        return f"Images: {Path(one.file.path).name}"
    if isinstance(content, Pulls):
        count = sum(map(len, content.seconds.values())) + len(content.warm_s)
        engine = content.engine.partition("+")[0]
        return f"Measured: {content.cores} × {content.cpu}, Docker {engine}, {count} pulls, {content.date}"
    validation = content.validation
    if validation.runs:
        return f"Predicted with profile {validation.profile} · {_of_runs(validation.runs)}"
    machines = joined(list(dict.fromkeys(row.machine for row in validation.rows if row.machine))[:2])
    return f"Validation: {content.name}" + (f" on {machines}" if machines else "") + (f", profile {validation.profile}")


def _version(inputs: Inputs) -> str:
    """Return the version that draws, and those that made the data where they are others."""
    own = [one.result.version for one in inputs.simulated]
    own += [str(run.environment.get("vsim_version", "")) for one in inputs.measured for run in one.samples.runs]
    others = [version for version in dict.fromkeys(own) if version not in ("", vsim.__version__)]
    return vsim.__version__ + (f", data made by {joined(others)}" if others else "")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
