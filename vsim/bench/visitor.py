"""The probe as a client: on the host, a plain process that talks to an instance from outside."""

from __future__ import annotations

from collections.abc import Sequence

from vsim.bench.payload import host_architecture, probe_path
from vsim.bench.perform import Report, read_report
from vsim.bench.spawn import call
from vsim.bench.workspace import Workspace

__all__ = ["visit"]


def visit(workspace: Workspace, arguments: Sequence[str], *, timeout_s: float) -> Report:
    """Run the probe of this host's own architecture to its end and return what it reports.

    Raises StageError (stage `work`) with the probe's own word for what went wrong.
    """
    argv = [str(probe_path(host_architecture())), *arguments, "exit"]
    text = call(argv, stage="work", env=workspace.environment(), timeout_s=timeout_s)
    return read_report(text)
