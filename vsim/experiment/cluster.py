"""A Dask cluster as the place to run tasks (extra ``vsim[dask]``)."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Iterator
from typing import Any

import vsim
from vsim.errors import HostError

__all__ = ["cluster_errors", "connect"]


def connect(scheduler: str, timeout_s: float) -> Any:
    """Return a client of the cluster at `scheduler` that has at least one worker.

    Raises HostError, within about twice `timeout_s`, when distributed isn't installed, nothing answers at the address,
    no worker is connected, or workers run another version of vsim (their results could differ).
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise HostError("the dask backend needs Dask", hint="pip install 'vsim[dask]'") from None
    # Its reports of lost connections come with tracebacks; what matters reaches the user as a HostError.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(scheduler, timeout=timeout_s, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise HostError(
            f"no Dask scheduler answers at {scheduler} ({type(error).__name__})",
            hint="start one with `dask scheduler`, workers with `dask worker ADDRESS`; it prints its address",
        ) from None
    try:
        client.wait_for_workers(1, timeout=timeout_s)
        versions = client.run(_version)
    except TimeoutError:
        client.close(timeout=2)
        raise HostError(
            f"the Dask scheduler at {scheduler} has no workers", hint=f"start some with `dask worker {scheduler}`"
        ) from None
    except Exception as error:
        # Whatever a worker raises while it unpickles or runs a function of vsim comes back as it is.
        client.close(timeout=2)
        raise HostError(
            f"a Dask worker can't run vsim ({error})",
            hint=f"pip install 'vsim[dask]=={vsim.__version__}' on each worker",
        ) from None
    others = sorted({version for version in versions.values() if version != vsim.__version__})
    if others:
        client.close(timeout=2)
        raise HostError(
            f"Dask workers run vsim {', '.join(others)}, this is {vsim.__version__}",
            hint="install the same version everywhere: results of two versions may differ",
        )
    return client


@contextlib.contextmanager
def cluster_errors() -> Iterator[None]:
    """Turn what a cluster raises when it goes away into HostError. What a task raises passes unchanged."""
    from concurrent.futures import CancelledError

    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise HostError(
            f"Dask workers keep dying on the same task ({error})", hint="give the workers more memory, or start fewer"
        ) from None
    except (CancelledError, OSError) as error:  # a closed connection and a time-out are OSErrors
        raise HostError(
            f"the connection to the Dask cluster was lost ({type(error).__name__})",
            hint="is its scheduler still there?",
        ) from None


def _version() -> str:
    return vsim.__version__
