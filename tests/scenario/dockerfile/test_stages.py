"""Stages: what they begin with, what they copy from, variables, and which are built for a target."""

from __future__ import annotations

import pytest

from vsim.errors import InputError
from vsim.scenario.dockerfile import Platform, read_dockerfile
from vsim.scenario.dockerfile.stages import Dockerfile

MULTI = """\
ARG VERSION=3.11
FROM python:${VERSION} AS base
WORKDIR /app
FROM base AS deps
COPY requirements.txt .
RUN pip install -r requirements.txt
FROM node:20 AS web
COPY web .
RUN npm run build
FROM deps AS test
COPY tests tests
FROM deps AS final
COPY --from=web /out static/
COPY --from=1 /x /x
COPY --from=nginx:1 /etc/nginx /etc/nginx
"""


def read(text: str, **options: object) -> Dockerfile:
    return read_dockerfile("Dockerfile", text, **options)  # type: ignore[arg-type]


def test_stages_begin_with_images_and_stages() -> None:
    stages = read(MULTI).stages
    assert [(stage.title, stage.image, stage.parent) for stage in stages] == [
        ("base", "python:3.11", None),
        ("deps", None, 0),
        ("web", "node:20", None),
        ("test", None, 1),
        ("final", None, 1),
    ]
    assert [(s.from_stage, s.from_image) for s in stages[4].steps] == [(2, None), (1, None), (None, "nginx:1")]


def test_buildkit_builds_what_the_target_needs_and_the_classic_builder_all_before_it() -> None:
    dockerfile = read(MULTI)
    assert dockerfile.needed("buildkit") == (0, 1, 2, 4)
    assert dockerfile.needed("classic") == (0, 1, 2, 3, 4)
    assert read(MULTI, target="test").needed("buildkit") == (0, 1, 3)
    assert read(MULTI, target="2").needed("buildkit") == (2,)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read(MULTI, target="finl")
    assert caught.value.message == "there is no stage 'finl'"
    assert caught.value.hint == "did you mean 'final'?"


def test_build_arguments_replace_defaults() -> None:
    assert read(MULTI, build_args={"VERSION": "3.12"}).stages[0].image == "python:3.12"


def test_an_undeclared_build_argument_is_noted() -> None:
    assert "NOPE isn't declared" in read(MULTI, build_args={"NOPE": "1"}).notes[0]


def test_a_global_argument_is_seen_in_a_stage_that_declares_it() -> None:
    text = "ARG A=one\nFROM x\nENV FIRST=$A\nARG A\nENV SECOND=$A\nARG A=two\nENV THIRD=${A}\n"
    assert read(text).stages[0].environment == {"FIRST": "", "SECOND": "one", "THIRD": "two"}


def test_environment_wins_over_arguments_and_is_inherited() -> None:
    text = "FROM x AS a\nARG V=1\nENV V=2\nENV W=$V\nFROM a\nENV X=$W$V\n"
    assert read(text).stages[1].environment == {"V": "2", "W": "2", "X": "22"}


def test_values_of_one_env_see_what_was_before_it() -> None:
    # the example of the Dockerfile reference
    text = "FROM x\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n"
    assert read(text).stages[0].environment == {"abc": "bye", "def": "hello", "ghi": "bye"}


def test_sources_have_their_variables_replaced_and_are_relative() -> None:
    text = "FROM x\nARG D=src\nCOPY ${D}/*.py ./b /c ../d to/\nADD https://h/x.tgz . \n"
    copy, add = read(text).stages[0].steps[1:]
    assert copy.sources == ("src/*.py", "b", "c", "d")
    assert (add.sources, add.remote) == ((), ("https://h/x.tgz",))


def test_commands_are_known_by_what_a_build_shows_of_them() -> None:
    text = 'FROM x\nARG D=src\nRUN make  $D "$D" $HOME\n'
    assert read(text).stages[0].steps[1].expanded == 'RUN make src "src" $HOME'


def test_what_is_not_set_is_noted_with_its_line() -> None:
    assert "line 2: $D isn't set here" in read("FROM x\nCOPY $D .\n").notes[0]


def test_mounts_name_the_context_or_a_stage() -> None:
    text = (
        "FROM a AS one\nFROM b\n"
        "RUN --mount=type=bind,source=src,target=/s --mount=from=one,source=/x,target=/y "
        "--mount=type=cache,target=/c z\n"
    )
    step = read(text).stages[1].steps[0]
    assert [(mount.source, mount.stage) for mount in step.mounts] == [("src", None), ("x", 0)]


def test_a_later_stage_can_be_copied_from_with_buildkit_only() -> None:
    text = "FROM a AS one\nCOPY --from=two /x /x\nFROM b AS two\n"
    assert read(text, target="one").stages[0].steps[0].from_stage == 1
    assert read(text, target="one").needed("buildkit") == (1, 0)
    classic = read(text, target="one", builder="classic")
    assert classic.stages[0].steps[0].from_image == "two"


def test_stages_that_need_each_other_are_refused() -> None:
    text = "FROM a AS one\nCOPY --from=two /x /x\nFROM b AS two\nCOPY --from=one /y /y\n"
    with pytest.raises(InputError, match="need each other") as caught:
        read(text)
    assert caught.value.place is not None
    assert caught.value.place.line in (2, 4)


def test_platforms_of_stages() -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM go AS build\nARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build\n"
        "FROM --platform=linux/arm64 x AS fixed\nFROM alpine\nCOPY --from=build /x /x\n"
    )
    stages = read(text, platform=Platform.of("linux/arm/v7"), build_platform=Platform.of("linux/amd64")).stages
    assert [str(stage.platform) for stage in stages] == ["linux/amd64", "linux/arm64", "linux/arm/v7"]
    assert stages[0].arguments["TARGETARCH"] == "arm"
    assert [stage.platform_dependent for stage in stages] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("LINUX/ARM64", "linux/arm64"),
    ],
)
def test_platforms_have_one_name(text: str, name: str) -> None:
    assert str(Platform.of(text)) == name


@pytest.mark.parametrize("text", ["", "linux/", "plan9/amd64", "linux/arm/v99", "linux/amd46"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a platform"):
        Platform.of(text)
