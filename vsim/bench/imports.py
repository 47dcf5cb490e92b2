"""Samples from what other programs measured: JSON of pytest-benchmark, fio and hyperfine.

Each file becomes a run of its own. Every single time in the file becomes a sample; a file with nothing but means holds
no samples and is refused, because nothing could be said of their spread.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsim.bench.workspace import new_run_id
from vsim.errors import InputError, Place
from vsim.samples.records import Record, Run, Sample

__all__ = ["read_foreign"]

# A file of a hundred benchmarks of a thousand rounds each has some five megabytes.
_LARGEST_BYTES = 100 * 2**20
_UNKNOWN = "unknown"
_STAGE = re.compile(r"test_(startup|ready|stop|remove)\b")


@dataclass(frozen=True, slots=True)
class _Value:
    """One figure: of which driver and stack, in which suite; `number` counts the repetitions from 0."""

    driver: str
    stack: str
    suite: str
    metric: str
    value: float
    unit: str
    number: int = 0
    flags: tuple[str, ...] = ()


def read_foreign(path: Path | str) -> list[Record]:
    """Return the records of one run with the samples in `path`.

    Benchmarks of `benchmarks/host` keep their driver and stage; others are samples of the suite `imported`, with the
    benchmark's or command's name in place of a driver. Raises InputError for a file of another kind, or without
    samples.
    """
    file = Path(path)
    content = _load(file)
    if "benchmarks" in content and "machine_info" in content:
        program, found = "pytest-benchmark", _pytest_benchmark
        started, environment = content.get("datetime"), {"imported_machine": content["machine_info"]}
    elif "fio version" in content:
        program, found = "fio", _fio
        started, environment = _moment(content.get("timestamp")), {"versions": {"fio": content["fio version"]}}
    elif "results" in content:
        program, found = "hyperfine", _hyperfine
        started, environment = None, {}
    else:
        raise InputError(
            f"{path} is not JSON of pytest-benchmark, fio or hyperfine",
            hint="--benchmark-json FILE, --output-format=json --output=FILE, or --export-json FILE make it",
        )
    try:
        values = list(found(content))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not as {program} writes it: {error!r}") from None
    if not values:
        raise InputError(f"{path} holds no single times", hint="pytest-benchmark: --benchmark-save-data keeps them")
    run_id = new_run_id()
    drivers = tuple(dict.fromkeys(value.driver for value in values))
    plan = {"name": f"imported from {program}", "file": file.name, "steps": []}
    run = Run(run_id, "real", str(started or _moment(file.stat().st_mtime)), plan, environment, 0, drivers)
    return [run, *(_sample(run_id, value) for value in values)]


def _load(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{file} has more than {_LARGEST_BYTES // 2**20} MiB")
        text = file.read_text(encoding="utf-8")
        # fio writes its warnings before the JSON
        begin = text.find("{")
        content = json.loads(text[max(0, begin) :])
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not text") from None
    except RecursionError:
        raise InputError(f"{file} is nested too deeply") from None
    except json.JSONDecodeError as error:
        line = text[: max(0, begin)].count("\n") + error.lineno
        raise InputError(f"not JSON: {error.msg}", place=Place(str(file), line, error.colno)) from None
    return content if isinstance(content, dict) else {}


def _pytest_benchmark(content: Mapping[str, Any]) -> Iterator[_Value]:
    for benchmark in content["benchmarks"]:
        about = benchmark.get("extra_info") or {}
        stage = _STAGE.match(benchmark["name"])
        own = stage is not None and "driver" in about
        driver = str(about["driver"]) if own else str(benchmark["name"])
        stack, flags = str(about.get("stack", _UNKNOWN)), tuple(map(str, about.get("flags", ())))
        suite, metric = ("startup", f"{stage[1]}_s") if own and stage else ("imported", "duration_s")
        for number, seconds in enumerate(benchmark["stats"].get("data", ())):
            yield _Value(driver, stack, suite, metric, float(seconds), "s", number, flags)


def _hyperfine(content: Mapping[str, Any]) -> Iterator[_Value]:
    for result in content["results"]:
        for number, seconds in enumerate(result.get("times") or ()):
            yield _Value(str(result["command"]), _UNKNOWN, "imported", "duration_s", float(seconds), "s", number)


def _fio(content: Mapping[str, Any]) -> Iterator[_Value]:
    for job in content["jobs"]:
        for side in ("read", "write"):
            done = job[side]
            if not done["total_ios"]:
                continue
            name, flags = str(job["jobname"]), (side,)
            latency = done["lat_ns"]
            figures = [
                ("disk_latency_mean_s", float(latency["mean"]) / 1e9, "s"),
                ("disk_iops", float(done["iops"]), "1/s"),
                ("disk_bytes_per_s", float(done["bw_bytes"]), "bytes/s"),
            ]
            # Of completion alone, unless fio was asked for percentiles of the whole latency.
            percentiles = latency.get("percentile") or done["clat_ns"].get("percentile") or {}
            figures += [
                (f"disk_latency_p{percent}_s", float(percentiles[key]) / 1e9, "s")
                for percent, key in ((50, "50.000000"), (95, "95.000000"), (99, "99.000000"))
                if key in percentiles
            ]
            for metric, value, unit in figures:
                yield _Value(name, _UNKNOWN, "disk", metric, value, unit, 0, flags)


def _sample(run_id: str, value: _Value) -> Sample:
    return Sample(
        run_id=run_id,
        block=value.number,
        order=0,
        stack=value.stack,
        driver=value.driver,
        suite=value.suite,
        metric=value.metric,
        value=value.value,
        unit=value.unit,
        concurrency=1,
        instance=0,
        t=0.0,
        flags=(*value.flags, "imported"),
    )


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
