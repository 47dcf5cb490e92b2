"""Replay a job list from a file, as the SimGrid peer does: HOSTS CORES_PER_HOST jobs.csv > done.csv."""

from __future__ import annotations

import sys

import numpy as np

from vsim.engine.replay import replay


def main() -> None:
    hosts, cores, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    host, arrival, demand = np.loadtxt(path, delimiter=",", unpack=True)
    done = replay((host, arrival, demand), hosts, cores).completion_s
    rows = zip(host.tolist(), arrival.tolist(), demand.tolist(), done.tolist(), strict=True)
    sys.stdout.write("".join("%d,%.9f,%.9f,%.9f\n" % row for row in rows))  # noqa: UP031  # as the peer's printf


if __name__ == "__main__":
    main()
