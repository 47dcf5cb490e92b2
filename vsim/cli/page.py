"""``vsim page``: a comparison as one HTML file that works without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsim.cli._progress import ProgressBar

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.report.page import Study
    from vsim.scenario import Scenario

__all__ = ["command"]

# What a page should weigh at most: it is mailed, and opened from slow sticks.
HEAVY_BYTES = 1_000_000


@click.command(
    name="page",
    epilog="SCENARIO is the name of a preset (default: evolution) or a YAML file, RESULT a directory that "
    "`vsim simulate --out` wrote. A scenario with a sweep gets a slider for each of its parameters, any other one for "
    "its size and its starts, and is simulated at each of their positions. A result is shown as it is.",
)
@click.argument("source", required=False, metavar="[SCENARIO|RESULT]")
@click.option(
    "--compose", multiple=True, metavar="FILE", help="A compose file instead of a scenario (repeat: laid on top)."
)
@click.option(
    "--compose-profile", multiple=True, metavar="NAME", help="With --compose: make the services of a profile active."
)
@click.option("--on", multiple=True, metavar="STACK@MACHINE", help="An architecture to compare (repeat for more).")
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all random draws.")
@click.option("--replications", type=click.IntRange(min=1), metavar="N", help="How often each point is simulated.")
@click.option("--no-sliders", is_flag=True, help="Simulate the scenario as it is, and nothing else.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes.")
@click.option("--out", required=True, metavar="FILE", help="The HTML file to write.")
def command(
    source: str | None,
    compose: tuple[str, ...],
    compose_profile: tuple[str, ...],
    on: tuple[str, ...],
    profile: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    no_sliders: bool,
    jobs: int | None,
    out: str,
) -> None:
    """Write a comparison as one HTML page with sliders: no server, no network."""
    from vsim.api import load_profile
    from vsim.report.page import build

    if compose and source is not None:
        raise click.UsageError("--compose takes the place of a scenario.")
    if compose_profile and not compose:
        raise click.UsageError("--compose-profile goes with --compose.")
    _check(out)
    loaded = load_profile(*profile)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    words = ["vsim", "simulate"]
    if source is not None and _is_result(source):
        if on or seed is not None or replications is not None or no_sliders or jobs is not None:
            raise click.UsageError("A result is shown as it is: only --profile and --out go with it.")
        page = build(_of_result(source, loaded, profile))
    else:
        read = _scenario(source, compose, compose_profile, loaded)
        words += [word for name in compose for word in ("--compose", name)] if compose else [source or "evolution"]
        for option, values in (("--compose-profile", compose_profile), ("--profile", profile)):
            words += [word for value in values for word in (option, value)]
        page = build(_simulated(read, loaded, words, on, seed, replications, jobs, sliders=not no_sliders))
    _write(page, out)
    size = len(page.encode())
    if size > HEAVY_BYTES:
        click.echo(f"note: the page has {size / 1e6:.1f} MB; a sweep of fewer points makes a lighter one", err=True)
    click.echo(f"page written to {out}", err=True)


def _is_result(source: str) -> bool:
    return Path(source).is_dir() or source.endswith(".json")


def _scenario(
    source: str | None, compose: tuple[str, ...], compose_profile: tuple[str, ...], loaded: Profile
) -> Scenario:
    from vsim.api import DEFAULT_SCENARIO, load_scenario

    if not compose:
        return load_scenario(source or DEFAULT_SCENARIO)
    from vsim.calibration.catalogue import load_compose

    return load_compose(*compose, profile=loaded, environment=os.environ, compose_profiles=compose_profile)


def _of_result(source: str, loaded: Profile, profile: tuple[str, ...]) -> Study:
    """Return the study of a result, with the profile at the values that the result lists."""
    from vsim.errors import InputError
    from vsim.report.page import study_of
    from vsim.samples.result_files import read_result

    result = read_result(source)
    for parameter in result.parameters:
        known = loaded.quantities.get(parameter.name)
        if known is None:
            raise InputError(
                f"the profile at hand lacks {parameter.name}, which the result uses",
                hint="give the result's profile with --profile",
            )
        if known.value != parameter.value:
            loaded = loaded.with_value(parameter.name, parameter.value)
    words = [word for file in profile for word in ("--profile", file)]
    return study_of(result, loaded, options=words)


def _simulated(
    read: Scenario,
    loaded: Profile,
    words: list[str],
    on: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    jobs: int | None,
    *,
    sliders: bool,
) -> Study:
    import dataclasses

    import vsim
    from vsim.errors import InputError
    from vsim.experiment.runner import Runner
    from vsim.report.page import study

    run = read.run
    if seed is not None:
        run = dataclasses.replace(run, seed=seed)
        words += ["--seed", str(seed)]
    if replications is not None:
        run = dataclasses.replace(run, replications=replications)
        words += ["--replications", str(replications)]
    if on and read.sweep is not None and "architectures" in read.sweep.parameters:
        raise InputError(
            "the sweep of this scenario states architectures of its own",
            hint="leave out --on, or the sweep's `architectures`",
        )
    read = dataclasses.replace(read, run=run, architectures=tuple(dict.fromkeys(on)) or read.architectures)
    with ProgressBar() as progress, Runner(jobs=jobs, progress=progress) as runner:
        return study(read, loaded, runner, sliders=sliders, command=words, on=bool(on), version=vsim.__version__)


def _check(out: str) -> None:
    """Raise before anything is simulated when `out` can't be a file, or its folder can't be written to."""
    from vsim.errors import HostError, InputError

    target = Path(out)
    if target.is_dir():
        raise InputError(f"{out} is a directory", hint="name the file, for example page.html")
    if not target.absolute().parent.is_dir():
        raise InputError(f"{out} can't be written to: there is no such folder")
    if not os.access(target.absolute().parent, os.W_OK | os.X_OK):
        raise HostError(f"can't write to {out}: its folder allows no new files", hint="name another file for --out")


def _write(page: str, out: str) -> None:
    """Write the page in one go: a page half written is none."""
    from vsim.errors import HostError

    target = Path(out)
    fresh = target.with_name(f".{target.name}.part")
    try:
        try:
            fresh.write_text(page, encoding="utf-8", newline="\n")
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(
            f"can't write to {out}: {error.strerror or error}", hint="name another file for --out"
        ) from None
