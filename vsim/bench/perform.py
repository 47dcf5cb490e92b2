"""One instance that does its work and is taken down again, and how long the work took.

The probe brackets each piece of work with `begin X` and `end X NS`: a duration on the clock that it sees. Moments of a
guest's clock are never compared with the host's; durations are the same on both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsim.bench.drivers.interface import Instance, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import discard, silence
from vsim.bench.output import Output
from vsim.bench.suites.interface import Context

__all__ = ["Report", "begin", "finish", "perform", "read_report"]

_END = re.compile(r"end (\w+) (\d+)")


@dataclass(frozen=True, slots=True)
class Report:
    """What a probe said it did: `durations_s` by the name of the work, all lines, the program's exit code."""

    durations_s: Mapping[str, float]
    lines: Sequence[str]
    code: int | None = None

    def duration_s(self, work: str) -> float:
        """Return how long that work took. Raises StageError when the probe hasn't said so."""
        try:
            return self.durations_s[work]
        except KeyError:
            raise StageError("work", f"the probe said nothing about {work}: {' '.join(self.lines)[-200:]}") from None


def read_report(text: str) -> Report:
    """Return what the lines of a probe's output tell; those of a program that it ran are among them."""
    lines = text.splitlines()
    durations = {found[1]: int(found[2]) / 1e9 for line in lines if (found := _END.fullmatch(line.strip()))}
    code = next((int(line.split()[1]) for line in reversed(lines) if re.fullmatch(r"exit \d+", line.strip())), None)
    return Report(durations, lines, code)


def begin(context: Context, spec: InstanceSpec) -> Instance:
    """Create and start an instance and return when it runs, with its work still to do. StageError: it is removed."""
    instance = context.session.create(spec)
    try:
        instance.start()
        timeout_s = context.driver.start_timeout_s
        if instance.output.first(timeout_s) is None:
            raise StageError("first_instruction", silence(instance, timeout_s))
    except BaseException:
        discard(context.session, instance)
        raise
    return instance


def perform(context: Context, spec: InstanceSpec, *, timeout_s: float, until: str = "ready") -> Report:
    """Let an instance do what the arguments in `spec` say, remove it, and return what it reports.

    `until` is the line that says that all is done: `ready`, or `exit` where another program is run. Raises StageError,
    with the stage `work` for what takes longer than `timeout_s` or goes wrong.
    """
    instance = begin(context, spec)
    try:
        if until == "exit":
            instance.ends_itself()
        report = finish(instance, timeout_s, until)
    except BaseException:
        discard(context.session, instance)
        raise
    instance.remove()
    context.session.forget(instance)
    return report


def finish(instance: Instance, timeout_s: float, until: str = "ready") -> Report:
    """Wait until a running instance has done its work and return what it reports; see :func:`perform`."""
    if instance.output.find(until, timeout_s) is None:
        raise StageError("work", silence(instance, timeout_s))
    report = read_report(instance.output.text)
    if report.code:
        raise StageError("work", f"the program ended with code {report.code}: {_said(instance.output)}")
    return report


def _said(output: Output) -> str:
    """Return what a program said about its failure, without the probe's own lines."""
    own = re.compile(r"vsim 1|begin \w+|end \w+ \d+|exit \d+")
    return " ".join(line.strip() for line in output.text.splitlines() if not own.fullmatch(line.strip()))[-300:]
