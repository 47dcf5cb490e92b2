"""Dockerfiles built for real with both builders: cached steps, rebuild times and refusals as predicted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.builds import base_image, buildkit_build, buildkit_client, cache_removed, timed_build, untag
from tests.conftest import lacking
from tests.scenario.dockerfile.test_instructions import BAD
from vsim.calibration.profile import Profile
from vsim.calibration.profile_file import builtin, load_profile
from vsim.experiment.builds import BuildModel, BuildRequest, model_build
from vsim.scenario.dockerfile.stages import Builder

pytestmark = pytest.mark.slow

BASE = "vsim-test-cache"
TOLERANCE = 0.15
# Other programs of the host only ever add to what a build takes: more builds come closer to what it takes alone.
ATTEMPTS = 4
INSTALL = "RUN mkdir /deps && cat requirements.txt > /deps/list && sleep 2"
BUILD = "RUN cat src/* > /app.bin && sleep 1"
EARLY = f"FROM {BASE}\nENV A=1\nCOPY . .\n{INSTALL}\n{BUILD}\nCMD cat /app.bin\n"
LATE = f"FROM {BASE}\nENV A=1\nCOPY requirements.txt .\n{INSTALL}\nCOPY . .\n{BUILD}\nCMD cat /app.bin\n"
STAGES = f"""\
ARG NAME=app
FROM {BASE} AS deps
WORKDIR /work
COPY requirements*.txt ./
RUN mkdir /deps && cat requirements*.txt > /deps/list
FROM {BASE} AS docs
COPY docs /docs
RUN cat /docs/* > /manual
FROM deps AS build
ARG NAME
COPY src src
RUN cat src/* /deps/list > $NAME.bin
FROM {BASE}
LABEL kind=test
COPY --from=docs /manual /manual
COPY --from=build /work/app.bin /app.bin
RUN ls /
"""
FILES = {
    "requirements.txt": "flask\n",
    "src/app.py": "print(1)\n",
    "src/more.py": "print(2)\n",
    "docs/index.md": "# hello\n",
    "notes.log": "nothing\n",
    ".dockerignore": "*.log\n",
}
# What BuildKit shows as steps; the others change settings only.
SEEN = ("ADD", "COPY", "RUN", "WORKDIR")


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    import docker
    import docker.errors
    import requests

    try:
        found = docker.APIClient(version="auto", timeout=120)
        found.ping()
        with base_image(found, BASE):
            yield found
        found.close()
    except FileNotFoundError as error:
        lacking(str(error))
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        lacking(f"a Docker engine ({error})")


@dataclass(frozen=True, slots=True)
class Built:
    """A real build: how long it took in seconds, the steps that ran as stage and text, and what tells their times."""

    seconds: float
    ran: frozenset[tuple[str, str]]
    timings: Path


class Project:
    """A context on a base of its own, built for real with one of the builders, and its model."""

    def __init__(self, engine: Any, builder: Builder, folder: Path, base: str, text: str) -> None:
        self.engine = engine
        self.builder: Builder = builder
        self.folder = folder
        self.tag = f"{base}-built"
        self.builds = 0
        for name, content in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        (folder / "Dockerfile").write_text(text.replace(BASE, base), encoding="utf-8")

    def build(self) -> Built:
        return self._with_buildkit() if self.builder == "buildkit" else self._with_the_classic_builder()

    def _timings(self) -> Path:
        """Return where to keep the times of one more build."""
        self.builds += 1
        return self.folder.with_suffix(f".{self.builds}")

    def _with_buildkit(self) -> Built:
        # a build of the same name would leave the image before it behind, without one
        untag(self.engine, self.tag)
        build = buildkit_build(buildkit_client(), self.folder, self.tag)
        path = self._timings()
        path.write_text(build.log, encoding="utf-8")
        ran = frozenset((stage or "stage-0", text) for (stage, text), run in build.steps().items() if run)
        return Built(build.seconds, ran, path)

    def _with_the_classic_builder(self) -> Built:
        steps = timed_build(self.engine, self.folder, self.tag)
        path = self._timings()
        rows = [f"{step.number},{step.seconds}" for step in steps if step.number]
        path.write_text("\n".join(["step,seconds", *rows]), encoding="utf-8")
        stages = {step.number: stage.title for stage, step in self.model().builds[0].steps()}
        # FROM is looked up in no cache, and an ARG before it is no step of a stage
        ran = frozenset(
            (stages[step.number], " ".join(step.text.split()))
            for step in steps
            if step.number in stages and not step.cached and not step.text.startswith("FROM")
        )
        return Built(sum(step.seconds for step in steps), ran, path)

    def model(self, *changes: str, timings: Path | None = None, profile: Profile | None = None) -> BuildModel:
        request = BuildRequest(self.folder / "Dockerfile", changes=changes, builder=self.builder, timings=timings)
        return model_build(request, profile or builtin())

    def predicted(self, model: BuildModel) -> frozenset[tuple[str, str]]:
        """Return the steps that the model runs again, FROM aside, and those that BuildKit doesn't show."""
        build = model.builds[0]
        again = ((stage.title, step.text) for stage, step in build.steps() if step.number in build.after.reasons)
        if self.builder == "classic":
            return frozenset((stage, text) for stage, text in again if not text.startswith("FROM"))
        # BuildKit shows commands with their variables replaced
        return frozenset((stage, text.replace("$NAME", "app")) for stage, text in again if text.startswith(SEEN))


@pytest.fixture(params=["classic", "buildkit"])
def project(request: pytest.FixtureRequest, engine: Any, tmp_path: Path) -> Iterator[Any]:
    builder: Builder = request.param
    if builder == "buildkit":
        try:
            buildkit_client()
        except FileNotFoundError as error:
            lacking(str(error))
    with ExitStack() as stack:
        stack.enter_context(cache_removed(engine))

        def make(text: str) -> Project:
            stamp = os.urandom(6).hex()
            base = stack.enter_context(base_image(engine, f"{BASE}-{stamp}", stamp=stamp))
            stack.callback(untag, engine, f"{base}-built")
            folder = tmp_path / stamp
            folder.mkdir()
            return Project(engine, builder, folder, base, text)

        yield make


def with_own_costs(builder: Builder, build_s: float, folder: Path) -> Profile:
    """Return the built-in profile with what a build takes here of which everything is cached."""
    path = folder / "here.yaml"
    name = "classic-builder" if builder == "classic" else builder
    path.write_text(
        f"schema: vsim.profile/1\nbuilders: {{{name}: {{build_s: {{value: {build_s}, unit: s, low: {build_s}, "
        f"high: {build_s}, source: {{kind: assumed, why: measured by this test}}}}}}}}\n",
        encoding="utf-8",
    )
    return load_profile(path)


@pytest.mark.parametrize("order", ["early", "late"])
def test_copying_everything_before_and_after_installing(
    order: str, project: Any, tmp_path: Path, record_property: Any
) -> None:
    colds: list[Built] = []
    nothing: list[float] = []
    rebuilds: list[float] = []
    for _ in range(ATTEMPTS):
        one = project(EARLY if order == "early" else LATE)
        colds.append(one.build())
        cached = one.build()
        assert cached.ran == frozenset()
        nothing.append(cached.seconds)
        (one.folder / "src" / "app.py").write_text("print(3)\n", encoding="utf-8")
        cold = min(colds, key=lambda build: build.seconds)
        model = one.model(
            "src/app.py", timings=cold.timings, profile=with_own_costs(one.builder, min(nothing), tmp_path)
        )
        again = one.build()
        # the same steps run again, and they take as long as predicted
        assert again.ran == one.predicted(model)
        assert set(model.builds[0].after.reasons) == ({3, 4, 5, 6} if order == "early" else {5, 6, 7})
        rebuilds.append(again.seconds)
        if model.warm.seconds == pytest.approx(min(rebuilds), rel=TOLERANCE):
            break
    measured = min(rebuilds)
    record_property("rebuild", f"measured {measured:.2f} s, predicted {model.warm.seconds:.2f} s")
    assert model.warm.seconds == pytest.approx(measured, rel=TOLERANCE)
    # what the order is for: two seconds of installing are saved
    assert (cold.seconds - measured > 1) is (order == "late")


def test_stages_run_again_as_predicted(project: Any) -> None:
    one = project(STAGES)
    one.build()
    for change, content in (
        ("src/app.py", "print(4)\n"),
        ("requirements.txt", "django\n"),
        ("docs/index.md", "# bye\n"),
        ("docs/new.md", "# new\n"),
        ("notes.log", "something\n"),
        ("requirements-more.txt", "x\n"),
    ):
        (one.folder / change).write_text(content, encoding="utf-8")
        assert one.build().ran == one.predicted(one.model(change)), change


def test_a_new_time_alone_changes_nothing(project: Any) -> None:
    one = project(LATE.replace(" && sleep 2", "").replace(" && sleep 1", ""))
    one.build()
    os.utime(one.folder / "src" / "app.py", (1, 1))
    assert one.build().ran == frozenset()


# what only newer builders refuse, or take otherwise
_NEWER = ("RUN --mount", "RUN --network", "COPY --link", "FROM --platform=linux/vax", "EXPOSE 80 70000", "RUN")


@pytest.mark.parametrize("line", [bad[0] for bad in BAD if bad[2] and not bad[0].startswith(_NEWER)])
def test_the_engine_refuses_what_the_model_refuses(line: str, engine: Any, tmp_path: Path) -> None:
    import docker.errors

    (tmp_path / "Dockerfile").write_text(f"FROM {BASE} AS first\n{line}\n", encoding="utf-8")
    refused = False
    try:
        for message in engine.build(path=str(tmp_path), decode=True, rm=True):
            refused = refused or "error" in message
    except docker.errors.APIError:
        refused = True
    assert refused
