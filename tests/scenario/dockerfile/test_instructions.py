"""What each instruction may say: what builders refuse is refused, at its place, with a hint."""

from __future__ import annotations

import pytest

from vsim.errors import InputError
from vsim.scenario.dockerfile import read_dockerfile
from vsim.scenario.dockerfile.instructions import Statement, parse
from vsim.scenario.dockerfile.text import read_source


def statement(line: str) -> Statement:
    return parse(read_source("Dockerfile", line).instructions[0])


def refused(line: str, **options: str) -> tuple[int | None, int | None, str, str]:
    with pytest.raises(InputError) as caught:
        read_dockerfile("Dockerfile", f"FROM a AS first\n{line}\n", **options)  # type: ignore[arg-type]
    place = caught.value.place
    assert place is not None
    assert place.text is not None
    return place.line, place.column, caught.value.message, caught.value.hint or ""


# the second line of a Dockerfile, the column of the complaint, a part of the message and of the hint
BAD = [
    ("COPY a", 6, "needs a source and a destination", "SOURCE… DESTINATION"),
    ("COPY", 5, "needs a source and a destination", "SOURCE… DESTINATION"),
    ("COPY a b c", 10, "must be a folder, not 'c'", "end it with `/`"),
    ("COPY --frm=x a b", 6, "unknown flag --frm", "did you mean '--from'?"),
    ("COPY --from= a b", 6, "--from needs a value", "--from=…"),
    ("COPY --from=x --from=y a b", 15, "--from is given twice", "keep one"),
    ("COPY --link=maybe a b", 6, "--link can't be 'maybe'", "true or false"),
    ("COPY --from=7 a b", 6, "there is no stage 7", "counted from 0"),
    ("COPY --from=first a b", 6, "can't copy from itself", "an earlier stage"),
    ("COPY [1, 2] b", 6, "", ""),
    ('COPY ["a", 2]', 6, "holds strings only", '["program", "argument"]'),
    ("ADD x", 5, "needs a source", "ADD SOURCE"),
    ("WORKDIR", 8, "needs exactly one argument", "WORKDIR VALUE"),
    ("USER", 5, "needs exactly one argument", "USER VALUE"),
    ("ENV", 4, "at least one argument", "ENV NAME=value"),
    ("ENV a", 5, "ENV needs a value", "ENV NAME=value"),
    ("ENV a=1 b", 9, "there is no `=` in 'b'", "NAME=value"),
    ("ENV =1", 5, "the name of this ENV is missing", "NAME=value"),
    ("ENV a=${b", 7, "`}` is missing", "ends with `}`"),
    ('LABEL a="x', 9, "this quote isn't closed", "add a"),
    ("EXPOSE", 7, "needs an argument", "docs.docker.com"),
    ("EXPOSE http", 8, "'http' is not a port", "EXPOSE 8080"),
    ("EXPOSE 80 70000", 11, "'70000' is not a port", "65535"),
    ("SHELL /bin/sh", 7, "takes a list in JSON", '["/bin/sh", "-c"]'),
    ("HEALTHCHECK", 12, "needs an argument", "HEALTHCHECK NONE"),
    ("HEALTHCHECK CMD", 13, "the command after HEALTHCHECK CMD is missing", "CMD COMMAND"),
    ("HEALTHCHECK NONE x", 13, "takes no arguments", "leave them out"),
    ("HEALTHCHECK TRY x", 13, "unknown kind of HEALTHCHECK 'TRY'", "HEALTHCHECK CMD"),
    ("HEALTHCHECK --interval=3 CMD x", 13, "'3' is not a time", "`30s`"),
    ("HEALTHCHECK --retries=x CMD x", 13, "--retries can't be 'x'", "whole number"),
    ("ONBUILD FROM a", 9, "FROM can't be the trigger", "like RUN or COPY"),
    ("ONBUILD", 8, "needs an argument", ""),
    ("RUN", 4, "RUN needs a command", "RUN COMMAND"),
    ("RUN --mount=type=bnd a", 5, "no mount of type 'bnd'", "bind, cache"),
    ("RUN --network=all a", 5, "--network can't be 'all'", "default, none or host"),
    ("VOLUME []", 8, "needs an argument", ""),
    ("FROM", 5, "FROM takes one argument, or three", "FROM IMAGE AS NAME"),
    ("FROM a as", 8, "FROM takes one argument, or three", "FROM IMAGE AS NAME"),
    ("FROM a as 1x", 11, "can't be called '1x'", "begins with a letter"),
    ("FROM $none", 6, "comes out empty", "a default before the first FROM"),
    ("FROM --platform=linux/vax a", 6, "'linux/vax' is not a platform", "linux/arm64"),
    ("FROM ${x:?give}", 6, "x: give", "--build-arg x=…"),
    ("ARG", 4, "at least one argument", "ARG NAME=value"),
]


@pytest.mark.parametrize(("line", "column", "message", "hint"), [bad for bad in BAD if bad[2]])
def test_what_builders_refuse_is_refused_at_its_place(line: str, column: int, message: str, hint: str) -> None:
    found = refused(line)
    assert found[0] == 2
    assert found[1] == column
    assert message in found[2]
    assert hint in found[3]


@pytest.mark.parametrize(
    "line",
    [
        "COPY a b c/",
        "COPY a b .",
        'COPY ["a b", "c"]',
        "COPY [1, 2] b/",  # no list in JSON, so three words
        "COPY --chown=1:2 --chmod=755 --link a b",
        "COPY --link=false a b",
        "COPY --exclude=a --exclude=b --parents a b/",
        "ADD --checksum=sha256:1 --keep-git-dir https://x/y.git z",
        "ENV a b c",
        'ENV a=1 b="2 3" c=4\\ 5',
        "ARG a b=1 c=",
        "CMD",
        "ENTRYPOINT []",
        'CMD ["a"]',
        "CMD [a",
        "RUN --mount=type=cache,target=/x --mount=type=secret,id=y --network=none z",
        "RUN <<EOF\na\nEOF",
        "EXPOSE 80 53/udp 8000-8010/tcp $PORT",
        "HEALTHCHECK --interval=1m30s --retries=3 CMD x",
        "HEALTHCHECK NONE",
        "ONBUILD RUN x",
        "ONBUILD COPY a",
        'SHELL ["/bin/bash", "-c"]',
        "STOPSIGNAL SIGTERM",
        "MAINTAINER me",
        "VOLUME /a /b",
        'VOLUME ["/a"]',
        "USER 1:2",
        "LABEL a=b",
        "WORKDIR a b",
    ],
)
def test_what_builders_take_is_taken(line: str) -> None:
    assert read_dockerfile("Dockerfile", f"FROM scratch\n{line}\n").stages


def test_flags_and_words_are_apart() -> None:
    copy = statement("COPY --from=build  --chown=1 a  b/ c/")
    assert [(flag.name, flag.value) for flag in copy.flags] == [("from", "build"), ("chown", "1")]
    text = copy.instruction.text
    assert [(word.text, word.at) for word in copy.words] == [
        (one, text.index(f" {one}") + 1) for one in ("a", "b/", "c/")
    ]


def test_mounts_are_read_by_key() -> None:
    run = statement("RUN --mount=source=a,target=/b --mount=type=cache,target=/c x")
    assert list(run.mounts()) == [
        {"type": "bind", "source": "a", "target": "/b"},
        {"type": "cache", "target": "/c"},
    ]


def test_a_command_before_the_first_from_is_refused() -> None:
    with pytest.raises(InputError, match="RUN comes before the first FROM"):
        read_dockerfile("Dockerfile", "RUN a\nFROM b\n")
    with pytest.raises(InputError, match="there is no FROM"):
        read_dockerfile("Dockerfile", "ARG a\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("RUN --mount=type=cache,target=/x y", "the classic builder has no --mount"),
        ("COPY --link a b", "the classic builder has no --link"),
        ("COPY --chmod=755 a b", "the classic builder has no --chmod"),
        ("RUN <<EOF\na\nEOF", "the classic builder has no here-documents"),
        ("COPY ../a b", "'../a' lies outside the build context"),
        ("FROM a AS first", "there is a stage 'first' already"),
    ],
)
def test_the_classic_builder_refuses_more(line: str, message: str) -> None:
    assert message in refused(line, builder="classic")[2]
    read_dockerfile("Dockerfile", f"FROM a AS first\n{line}\n")
