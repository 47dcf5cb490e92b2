"""A Dask cluster as the place to run tasks (extra ``vsim[dask]``)."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Iterator
from typing import Any

import vsim
from vsim.errors import HostError, VsimError

__all__ = ["IN_FLIGHT", "cluster_errors", "connected", "joblib_backend"]

# How many tasks the cluster is given ahead: enough for workers that come later, few enough for a scheduler's memory.
IN_FLIGHT = 256


@contextlib.contextmanager
def connected(scheduler: str, timeout_s: float) -> Iterator[Any]:
    """Give a client of the cluster at `scheduler` that has at least one worker, and close it in the end.

    Entering raises HostError, within about twice `timeout_s`, when distributed isn't installed, nothing answers at the
    address, no worker is connected, or workers run another version of vsim (their results could differ).
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise HostError("the dask backend needs Dask", hint="pip install 'vsim[dask]'") from None
    with _quiet():
        client = _client(distributed, scheduler, timeout_s)
        try:
            yield client
        finally:
            client.close(timeout=2)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Dask logs of lost connections, tracebacks included: what matters becomes a HostError."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado")]
    loggers = [logging.getLogger(name) for name in (*names, "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _client(distributed: Any, scheduler: str, timeout_s: float) -> Any:
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


def joblib_backend(client: Any) -> Any:
    """Return joblib's Dask backend for `client`, which also uses a cluster that has a single thread.

    joblib runs everything in the calling process when it believes that there is one processor in all.
    """
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]  # joblib has no types
        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(2, int(super().effective_n_jobs(n_jobs)))

    return Backend(client=client)


@contextlib.contextmanager
def cluster_errors(client: Any) -> Iterator[None]:
    """Turn what is raised when the cluster of `client` goes away into HostError. What a task raises passes unchanged.

    joblib meets a client that has closed itself in the most different ways, so any error counts as a loss then.
    """
    from concurrent.futures import CancelledError

    from distributed.scheduler import KilledWorker

    try:
        yield
    except VsimError:
        raise
    except KilledWorker as error:
        raise HostError(
            f"Dask workers keep dying on the same task ({error})", hint="give the workers more memory, or start fewer"
        ) from None
    except Exception as error:
        # A closed connection and a time-out are OSErrors.
        if isinstance(error, CancelledError | OSError) or client.status != "running":
            raise HostError(
                f"the connection to the Dask cluster was lost ({type(error).__name__})",
                hint="is its scheduler still there?",
            ) from None
        raise


def _version() -> str:
    return vsim.__version__
