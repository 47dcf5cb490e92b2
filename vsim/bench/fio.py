"""fio: its arguments for a step of the disk suite, and its JSON turned into metrics. Base units: seconds, bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vsim.bench.errors import StageError
from vsim.model.plan import DriveDisk

__all__ = ["arguments", "metrics", "refuses_direct"]

_PATTERNS = {"read": "read", "write": "write", "random_read": "randread", "random_write": "randwrite"}


def arguments(step: DriveDisk, file: str, *, direct: bool) -> tuple[str, ...]:
    """Return fio's arguments. The file is laid out in full first, so that writes change it and never make it grow."""
    # One request at a time needs no queue in the kernel, and a plain call is what most applications make.
    engine = "psync" if step.depth == 1 else "libaio"
    return (
        *("--name=vsim", f"--filename={file}", f"--rw={_PATTERNS[step.pattern]}", f"--size={step.size_bytes}"),
        *(f"--bs={step.block_bytes}", f"--ioengine={engine}", f"--iodepth={step.depth}", f"--direct={int(direct)}"),
        *("--time_based", f"--runtime={step.duration_s:g}", "--overwrite=1", "--fallocate=none", "--thread"),
        *("--randrepeat=1", "--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=50:95:99"),
        "--output-format=json",
    )


def refuses_direct(message: str) -> bool:
    """Return whether fio's message says that the file system can't do without the page cache."""
    return "direct" in message and ("support" in message or "Invalid argument" in message)


def metrics(text: str, step: DriveDisk) -> Mapping[str, tuple[float, str]]:
    """Return value and unit of each metric in fio's output, whatever stands around the JSON.

    Raises StageError (stage `work`) for output that isn't fio's, or of a run in which nothing was moved.
    """
    side = "read" if step.pattern.endswith("read") else "write"
    try:
        job = _document(text)["jobs"][0]
        error = int(job["error"])
        done = job[side]
        if error:
            raise StageError("work", f"fio: error {error}")
        if not done["total_ios"]:
            raise StageError("work", "fio moved nothing")
        latency = done["lat_ns"]
        percentiles = latency["percentile"]
        return {
            "disk_latency_mean_s": (float(latency["mean"]) / 1e9, "s"),
            "disk_latency_p50_s": (float(percentiles["50.000000"]) / 1e9, "s"),
            "disk_latency_p95_s": (float(percentiles["95.000000"]) / 1e9, "s"),
            "disk_latency_p99_s": (float(percentiles["99.000000"]) / 1e9, "s"),
            "disk_iops": (float(done["iops"]), "1/s"),
            "disk_throughput_bytes_per_s": (float(done["bw_bytes"]), "bytes/s"),
        }
    except (KeyError, IndexError, TypeError, ValueError) as missing:
        raise StageError("work", f"fio's output can't be read: {missing!r}") from None


def _document(text: str) -> Any:
    """Return the JSON object in `text`: fio writes warnings before it, the probe its lines around it."""
    begin = text.index("\n{") + 1
    document, _ = json.JSONDecoder().raw_decode(text, begin)
    return document
