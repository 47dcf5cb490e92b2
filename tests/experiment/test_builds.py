"""The model of a build: a lecture's example worked out by hand, platforms, and where durations come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from vsim.calibration.profile_file import builtin
from vsim.errors import InputError
from vsim.experiment.builds import BuildModel, BuildRequest, model_build

PROFILE = builtin()
# what a build of both took, by instruction: the same work in another order
SECONDS = {"COPY requirements.txt": 1, "COPY . .": 2, "RUN pip": 30, "RUN make": 5}
EARLY = """\
FROM python:3.12
COPY . .
RUN pip install -r requirements.txt
RUN make
CMD ["app"]
"""
LATE = """\
FROM python:3.12
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
RUN make
CMD ["app"]
"""


def build(
    tmp_path: Path, text: str, *changes: str, seconds: Mapping[str, float] | None = None, **options: object
) -> BuildModel:
    for name in ("requirements.txt", "src/app.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x" * 1000, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    if seconds is not None:
        rows = ["line,seconds"]
        for number, line in enumerate(text.splitlines(), 1):
            found = next((value for begin, value in seconds.items() if line.startswith(begin)), 0)
            rows.append(f"{number},{found}")
        (tmp_path / "timings.csv").write_text("\n".join(rows), encoding="utf-8")
        options["timings"] = tmp_path / "timings.csv"
    return model_build(BuildRequest(tmp_path / "Dockerfile", changes=changes, **options), PROFILE)  # type: ignore[arg-type]


def runs(model: BuildModel) -> list[int]:
    return sorted(model.builds[0].after.reasons)


def test_dependencies_before_the_source_are_installed_once(tmp_path: Path) -> None:
    early = build(tmp_path, EARLY, "src/app.py", seconds=SECONDS)
    late = build(tmp_path, LATE, "src/app.py", seconds=SECONDS)
    assert runs(early) == [2, 3, 4, 5]
    assert runs(late) == [4, 5, 6]
    sent = 2000 / PROFILE.builders["buildkit"].context_bytes_per_s.value
    assert early.builds[0].warm.seconds == pytest.approx(2 + 30 + 5)
    assert late.builds[0].warm.seconds == pytest.approx(2 + 5)
    beside = PROFILE.builders["buildkit"].build_s.value
    assert early.cold.seconds == pytest.approx(beside + 37 + early.context.seconds)
    assert late.cold.seconds == pytest.approx(beside + 38 + late.context.seconds)
    # BuildKit sends what has changed
    assert late.warm.seconds == pytest.approx(beside + 7 + sent / 2, abs=1e-4)


def test_a_change_of_the_dependencies_installs_them_either_way(tmp_path: Path) -> None:
    assert runs(build(tmp_path, EARLY, "requirements.txt")) == [2, 3, 4, 5]
    assert runs(build(tmp_path, LATE, "requirements.txt")) == [2, 3, 4, 5, 6]


def test_what_is_ignored_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*.md\n", encoding="utf-8")
    model = build(tmp_path, EARLY, "README.md")
    assert runs(model) == []
    assert model.notes == ("README.md is ignored (.dockerignore): no step reads it",)


def test_a_change_that_no_step_reads_is_noted(tmp_path: Path) -> None:
    model = build(tmp_path, "FROM a\nCOPY src /s\n", "requirements.txt")
    assert runs(model) == []
    assert model.notes == ("no step reads requirements.txt",)


def test_durations_are_measured_annotated_or_assumed(tmp_path: Path) -> None:
    text = "FROM a\nCOPY . .\n# x-vsim: 3 min\nRUN make\nRUN apt-get install -y gcc\nRUN ./x\n"
    steps = [step for _, step in build(tmp_path, text).builds[0].steps()]
    assert [step.duration.source for step in steps] == ["none", "assumed", "annotated", "assumed", "assumed"]
    costs = PROFILE.builders["buildkit"]
    assert steps[1].bytes == 2000 + len(text)
    assert steps[1].duration.seconds == pytest.approx(
        costs.copy_s.value + steps[1].bytes / costs.copy_bytes_per_s.value
    )
    assert steps[2].duration.seconds == 180
    assert steps[3].duration.seconds == pytest.approx(costs.run_s.value + costs.install_s.value)
    assert steps[4].duration.seconds == pytest.approx(costs.run_s.value + costs.command_s.value)


def test_a_slower_machine_takes_longer_for_what_is_assumed(tmp_path: Path) -> None:
    pi, server = (build(tmp_path, "FROM a\nRUN x\n", machine=name) for name in ("raspberry-pi-4", "rack-server"))
    speed = PROFILE.machines["raspberry-pi-4"].core_speed.value
    assert pi.builds[0].cold.seconds == pytest.approx(server.builds[0].cold.seconds / speed)


PLATFORMS = """\
FROM --platform=$BUILDPLATFORM go AS fetch
RUN fetch
FROM --platform=$BUILDPLATFORM fetch AS build
ARG TARGETARCH
RUN compile
FROM alpine
RUN install
COPY --from=build /x /x
"""


def test_emulation_slows_down_what_runs_and_common_stages_are_built_once(tmp_path: Path) -> None:
    seconds = {"RUN fetch": 10, "RUN compile": 20, "RUN install": 5, "COPY": 1}
    platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"]
    model = build(tmp_path, PLATFORMS, seconds=seconds, platforms=platforms)
    factors = {name: PROFILE.emulators[name].cpu_factor.value for name in ("linux-arm64", "linux-arm-v7")}
    amd64, arm64, armv7 = model.builds
    # the last stage can begin at once, its COPY when what it copies is there: 10 + 20 + 1
    assert amd64.cold.seconds == pytest.approx(31)
    # emulated, the last stage's own command may take longer than that
    assert arm64.cold.seconds == pytest.approx(max(30, 5 * factors["linux-arm64"]) + 1)
    assert armv7.cold.seconds == pytest.approx(max(30, 5 * factors["linux-arm-v7"]) + 1)
    assert (amd64.emulator, arm64.emulator is None) == (None, False)
    # fetched once; compiled three times, natively each time
    assert [2 in one.own for one in model.builds] == [True, False, False]
    assert [5 in one.own for one in model.builds] == [True, True, True]


def test_a_raspberry_pi_builds_for_itself_and_for_32_bits(tmp_path: Path) -> None:
    model = build(tmp_path, LATE, machine="raspberry-pi-4", platforms=["linux/arm64", "linux/arm/v7"])
    assert [one.emulator for one in model.builds] == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"machine": "laptpo"}, "there is no machine 'laptpo'"),
        ({"platforms": ["linux/amd46"]}, "is not a platform"),
        ({"platforms": ["linux/riscv64"]}, "nothing is known about emulating linux/riscv64 on linux/amd64"),
        ({"builder": "classic", "platforms": ["linux/amd64", "linux/arm64"]}, "one platform at a time"),
        ({"context": Path("/nonexistent")}, "isn't a folder"),
        ({"timings": Path("/dev/null")}, "there are no durations of a build in it"),
    ],
)
def test_what_cannot_be_answered_is_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        build(tmp_path, LATE, **options)  # type: ignore[arg-type]  # by name
    assert caught.value.hint


def test_parameters_are_listed_by_the_kind_of_their_source(tmp_path: Path) -> None:
    model = build(tmp_path, PLATFORMS, platforms=["linux/arm64"])
    assert "linux-arm64.cpu_factor" in model.parameters["measured"]
    assert "buildkit.install_s" in model.parameters["assumed"]
