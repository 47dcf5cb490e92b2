"""Runs tasks: in this process, in worker processes, or on a Dask cluster. The order and the values are the same.

A task is one replication of one architecture; it carries all that it needs, and its draws depend on its seed and number
alone. What runs where, how many at a time and how often again after a crash can therefore not change a result.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from vsim.engine.run import Replication, run_replication
from vsim.errors import HostError, InputError
from vsim.model.machine import Site
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Scenario

__all__ = ["FAN_OUT_S", "Backend", "Progress", "RunFunction", "Runner", "Task", "processors"]

Backend = Literal["local", "dask"]
RunFunction = Callable[[Architecture, Scenario, Site, int], Replication]
# (tasks done, tasks known so far)
Progress = Callable[[int, int], None]

# Without --jobs, work goes to other processes when this one would need longer than this for the rest. Starting two
# workers costs 1 to 2 s (each imports numpy and SimPy), so below it there is little to win and a laptop's fan to hear.
FAN_OUT_S = 5.0
# How long to wait for a Dask scheduler to answer, and then for its first worker.
CONNECT_S = 5.0
# How often the tasks that died with their worker process are given to new ones.
RETRIES = 2


@dataclass(frozen=True, slots=True)
class Task:
    """One replication to run.

    When the architecture can't carry the workload, a `tolerant` one yields a replication without metrics and events;
    otherwise that is an InputError.
    """

    architecture: Architecture
    scenario: Scenario
    site: Site
    replication: int
    tolerant: bool = False


class Runner:
    """Runs tasks and returns their replications in the order of the tasks. A context manager.

    `jobs` is the number of worker processes; 1 stays in this process, and None starts here and goes to one process per
    core once the rest is estimated to need more than :data:`FAN_OUT_S`. With the backend `dask` the tasks go to the
    cluster at `scheduler` (``tcp://host:8786``). `run` is what runs a task; it has to be importable by the workers.

    Raises InputError for options that contradict each other. Entering raises HostError when the cluster can't be
    reached, has no workers, or runs another version of vsim.
    """

    def __init__(
        self,
        *,
        jobs: int | None = None,
        backend: Backend = "local",
        scheduler: str | None = None,
        progress: Progress | None = None,
        run: RunFunction = run_replication,
    ) -> None:
        if jobs is not None and jobs < 1:
            raise InputError(f"{jobs} jobs can't do any work", hint="--jobs 1 or more")
        if backend == "dask" and scheduler is None:
            raise InputError("the dask backend needs the address of a scheduler", hint="--scheduler tcp://HOST:8786")
        if backend == "local" and scheduler is not None:
            raise InputError("a scheduler is used by the dask backend only", hint="add --backend dask")
        self._jobs = jobs
        self._scheduler = scheduler
        self._progress = progress
        self._run = run
        self._client: Any = None
        self._resources = ExitStack()
        self._known = 0
        self._done = 0
        self._forked = False

    def __enter__(self) -> Self:
        if self._scheduler is not None:
            from vsim.experiment.cluster import connected

            self._client = self._resources.enter_context(connected(self._scheduler, CONNECT_S))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._resources.close()
        if self._forked:
            _stop_workers(now=kind is not None)

    def run(self, tasks: Sequence[Task]) -> list[Replication]:
        """Run `tasks` and return what they yield, in their order."""
        self._known += len(tasks)
        done: list[Replication] = []
        if self._client is not None:
            from vsim.experiment.cluster import cluster_errors

            with cluster_errors(self._client):
                self._collect(tasks, done, self._on_cluster(tasks))
        elif self._jobs == 1 or len(tasks) < 2:
            self._collect(tasks, done, map(self._call, tasks))
        else:
            self._run_locally(tasks, done)
        return done

    def _call(self, task: Task) -> Replication:
        return _run_task(self._run, task)

    def _run_locally(self, tasks: Sequence[Task], done: list[Replication]) -> None:
        jobs = self._jobs
        if jobs is None:
            jobs = processors()
            self._collect(tasks, done, self._until_long(tasks, jobs))
        for attempt in range(RETRIES + 1):
            rest = tasks[len(done) :]
            if not rest:
                return
            from joblib.externals.loky.process_executor import TerminatedWorkerError

            try:
                self._forked = True
                self._collect(rest, done, self._parallel(rest, min(jobs, len(rest))))
            except TerminatedWorkerError:
                _stop_workers(now=True)
                if attempt == RETRIES:
                    raise HostError(
                        "worker processes keep dying (out of memory?)", hint="--jobs 1 needs the least memory"
                    ) from None

    def _until_long(self, tasks: Sequence[Task], jobs: int) -> Iterator[Replication]:
        """Yield replications run in this process; end early when the rest would take long and others can help."""
        start = time.perf_counter()
        for number, task in enumerate(tasks):
            yield self._call(task)
            elapsed = time.perf_counter() - start
            rest = len(tasks) - number - 1
            if jobs > 1 and rest > 1 and elapsed / (number + 1) * rest > FAN_OUT_S:
                return

    def _collect(self, tasks: Sequence[Task], done: list[Replication], results: Iterator[Replication]) -> None:
        try:
            for replication in results:
                done.append(replication)
                self._done += 1
                if self._progress:
                    self._progress(self._done, self._known)
        finally:
            # Ends what joblib still has under way, when something was raised or interrupted.
            if hasattr(results, "close"):
                with warnings.catch_warnings():
                    # joblib tells how many tasks were cancelled: that was the intention.
                    warnings.simplefilter("ignore", UserWarning)
                    results.close()

    def _parallel(self, tasks: Sequence[Task], jobs: int) -> Iterator[Replication]:
        import joblib

        with joblib.parallel_config(backend="loky", n_jobs=jobs):
            yield from joblib.Parallel(return_as="generator")(self._calls(tasks))

    def _on_cluster(self, tasks: Sequence[Task]) -> Iterator[Replication]:
        import joblib

        from vsim.experiment.cluster import IN_FLIGHT, joblib_backend

        with joblib.parallel_config(backend=joblib_backend(self._client)):
            yield from joblib.Parallel(return_as="generator", pre_dispatch=IN_FLIGHT)(self._calls(tasks))

    def _calls(self, tasks: Sequence[Task]) -> Iterator[Any]:
        import joblib

        # One argument that joblib's Dask backend can't scatter (it has no weak references): scattered data that
        # was on a worker is lost with it, a task that carries its data is simply run elsewhere.
        return (joblib.delayed(_run_task)(self._run, task) for task in tasks)


def _run_task(run: RunFunction, task: Task) -> Replication:
    try:
        return run(task.architecture, task.scenario, task.site, task.replication)
    except InputError:
        if task.tolerant:
            return Replication({}, 0)
        raise


def processors() -> int:
    """Return how many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stop_workers(*, now: bool) -> None:
    """Stop the local worker processes; `now` kills them in the middle of what they do."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True, kill_workers=now)
