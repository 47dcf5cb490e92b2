"""Durations of steps, from the output of builds and from tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.scenario.dockerfile.timings import Timings, read_timings

# a part of what BuildKit prints with --progress=plain
BUILDKIT = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 158B done
#1 DONE 0.0s

#5 [1/4] FROM docker.io/library/python:3.12-slim@sha256:1234
#5 CACHED

#6 [2/4] WORKDIR /app
#6 DONE 0.1s

#7 [build 3/4] RUN pip install   -r requirements.txt
#7 1.234 Collecting flask
#7 DONE 12.5s

#8 [linux/arm64 build 4/4] COPY . .
#8 DONE 0.2s

#9 exporting to image
#9 DONE 0.3s
"""
# the classic builder's, behind `ts -s '%.s'`
CLASSIC = """\
0.051234 Sending build context to Docker daemon  3.072kB
0.100000 Step 1/4 : FROM base
0.101000  ---> 5d0da3dc9764
0.102000 Step 2/4 : ENV A=1
0.102500  ---> Using cache
0.103000  ---> aaaaaaaaaaaa
0.110000 Step 3/4 : RUN make
0.200000  ---> Running in 123456789abc
5.110000 Removing intermediate container 123456789abc
5.115000  ---> bbbbbbbbbbbb
5.120000 Step 4/4 : CMD ["x"]
5.220000 Successfully built cccccccccccc
"""


def read(tmp_path: Path, text: str) -> Timings:
    path = tmp_path / "timings"
    path.write_text(text, encoding="utf-8")
    return read_timings(path)


def test_what_buildkit_prints(tmp_path: Path) -> None:
    timings = read(tmp_path, BUILDKIT)

    def of(text: str, stage: str = "stage-0", platform: str = "linux/amd64") -> float | None:
        return timings.of(number=99, line=99, texts=(text,), stage=stage, platform=platform)

    assert of("WORKDIR /app") == 0.1
    assert of("RUN pip install -r requirements.txt", "build") == 12.5
    assert of("COPY . .", "build", "linux/arm64") == 0.2
    assert of("COPY . .", "build", "linux/amd64") is None
    assert of("FROM docker.io/library/python:3.12-slim@sha256:1234") is None
    assert timings.cached == 1


def test_what_the_classic_builder_prints_behind_a_time(tmp_path: Path) -> None:
    timings = read(tmp_path, CLASSIC)
    # the second step came from the cache: it has no duration
    assert timings.by_step == pytest.approx({1: 0.002, 3: 5.01, 4: 0.1})
    assert timings.cached == 1


def test_times_may_be_dates(tmp_path: Path) -> None:
    days = ("10:00:00.5+00:00 Step 1/2 : FROM a", "10:00:01+00:00 Step 2/2 : RUN b", "10:00:04+00:00 done")
    text = "".join(f"2026-11-24T{line}\n" for line in days)
    assert read(tmp_path, text).by_step == pytest.approx({1: 0.5, 2: 3})


def test_tables_by_step_or_by_line(tmp_path: Path) -> None:
    assert read(tmp_path, "step,seconds,instruction\n1,0.5,FROM a\n2,3 min,RUN b\n").by_step == {1: 0.5, 2: 180}
    assert read(tmp_path, "seconds,line\n250 ms,4\n").by_line == {4: 0.25}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "there are no durations"),
        ("hello\n", 1, "there are no durations"),
        ("Step 1/2 : FROM a\nStep 2/2 : RUN b\n", 1, "there are no durations"),
        ("step,seconds\n1\n", 2, "2 columns are wanted"),
        ("step,seconds\nx,1\n", 2, "'x' is not the number of a step"),
        ("step,seconds\n1,2\n2,soon\n", 3, "'soon' is not a time"),
        ("step,seconds\n1,-2\n", 2, "zero or more"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert caught.value.place is not None
    assert caught.value.place.line == line
    assert message in caught.value.message
