"""Dockerfiles that somebody has spoilt: valid ones with parts changed, moved, and put in that break parsers."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsim.calibration.profile import Profile
from vsim.errors import InputError
from vsim.experiment.builds import BuildRequest, model_build

__all__ = ["CHANGES", "Watch", "check", "mutant", "outside_reads", "prepare"]

TEXTS = [
    """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM python:${VERSION}-slim AS base
WORKDIR /app
ENV PATH=/app/bin:$PATH A="x y" B='z'
FROM base AS deps
COPY requirements.txt pyproject.toml ./
# x-vsim: 40 s
RUN --mount=type=cache,target=/root/.cache \\
    pip install -r requirements.txt && \\
    # a comment in between
    rm -rf /tmp/*
FROM deps
ARG TARGETARCH
COPY --from=base /etc/hosts /h
COPY --chown=1:1 src/*.py src/
COPY . .
RUN <<EOF
make ${TARGETARCH:-none}
EOF
EXPOSE 80 443/tcp
HEALTHCHECK --interval=30s CMD curl -f http://localhost/ || exit 1
USER app
CMD ["python", "-m", "app"]
""",
    """\
# escape=`
FROM windows AS one
RUN dir c:\\ `
  && echo "a"
COPY ["a b", "c"]
FROM scratch
COPY --from=one / /
COPY --link ../up **/x[a-z]? /to/
ADD https://example.org/x.tgz git@github.com:a/b.git /d/
ONBUILD COPY . .
SHELL ["sh", "-c"]
VOLUME /v ["/w"]
LABEL a=b c="d e"
STOPSIGNAL 9
MAINTAINER me
ENTRYPOINT run
""",
]
IGNORES = ["", "*.log\n!keep.log\n**/node_modules\n", "*\n!src\n", "[\n", "a**b/../..\n", "!\n", "/etc\n../..\n"]
BITS = [
    *"\t\n\r \"'\\`$#<>[]{}()|&;*?!=:,-@/~%\0\x07\ufeff\u2028é",
    "${",
    "${A:-${B:-${C:?d}}}",
    "${A##*a*b*c*}",
    "${PATH//:/${PATH}}",
    "ENV A=$A$A$A$A$A$A$A$A\n",
    "<<EOF",
    "<<-'X'",
    "--from=",
    "--from=0",
    "--from=deps",
    "--mount=type=bind,source=../../etc,from=one",
    "--platform=linux/vax",
    "--unknown=1",
    "FROM ",
    "FROM scratch AS base\n",
    "ONBUILD ",
    "RUN ",
    "COPY /etc/passwd /\n",
    "COPY ../../../etc/shadow ./\n",
    "ADD /proc/self/environ /e\n",
    "COPY link/secret /\n",
    "# escape=`\n",
    "# syntax=x\n",
    "# x-vsim: soon\n",
    "**/" * 50,
    "*a" * 60,
    "a" * 3000,
    "\\\n" * 30,
    '["a"',
    "[" * 70,
    "\\x",
]
CHANGES = ("src/app.py", "requirements.txt", "new/file", "link/secret", "")
PLATFORMS: tuple[tuple[str, ...], ...] = ((), ("linux/amd64", "linux/arm64"), ("linux/arm/v7",))


def mutant(numbers: random.Random) -> tuple[str, str]:
    """Return a Dockerfile and a .dockerignore."""
    text = numbers.choice(TEXTS)
    for _ in range(numbers.choice([1, 1, 1, 2, 3, 5])):
        at = numbers.randint(0, len(text))
        length = numbers.choice([0, 0, 1, 2, 5, 20, 200])
        bit = numbers.choice(BITS) if numbers.random() < 0.9 else chr(numbers.randrange(1, 0x3000))
        moved = text[at : at + length] if numbers.random() < 0.5 else ""
        text = text[:at] + bit + moved + text[at + length :]
    return text, numbers.choice(IGNORES) if numbers.random() < 0.3 else IGNORES[1]


def prepare(base: Path) -> Path:
    """Return a context, with a link that leads out of it to a file that nobody may read."""
    folder = base / "context"
    for name in ("src/app.py", "src/x.log", "requirements.txt", "a b", "node_modules/m/index.js", "keep.log"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    (base / "outside").mkdir()
    (base / "outside" / "secret").write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(base / "outside")
    return folder


class Watch:
    """Notes what is opened and listed while it is on, wherever in Python that happens."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self._on = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._on and event in (
            "open",
            "os.scandir",
            "os.listdir",
            "subprocess.Popen",
            "os.system",
            "socket.connect",
        ):
            self.opened.append(f"{event} {arguments[0]}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.opened.clear()
        self._on = True
        try:
            yield
        finally:
            self._on = False


def outside_reads(opened: list[str], folder: Path) -> list[str]:
    """Return what was touched outside `folder`; Python's own modules, loaded when they are first needed, aside."""
    own = (str(folder), *(path for path in sys.path if path), sys.prefix, sys.base_prefix)
    return [one for one in opened if not one.partition(" ")[2].startswith(own)]


def check(text: str, ignore: str, folder: Path, profile: Profile, numbers: random.Random, watch: Watch) -> str:
    """Model the build of a mutant, and return what came out: ``valid``, or ``refused``. Fails for anything else."""
    (folder / "Dockerfile").write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / ".dockerignore").write_text(ignore, encoding="utf-8")
    request = BuildRequest(
        dockerfile=folder / "Dockerfile",
        changes=[numbers.choice(CHANGES)],
        builder="classic" if numbers.random() < 0.2 else "buildkit",
        build_args={"VERSION": "3.13"} if numbers.random() < 0.3 else {},
        platforms=numbers.choice(PLATFORMS),
    )
    begin = time.process_time()
    outcome = "valid"
    with watch.watching():
        try:
            model = model_build(request, profile)
        except InputError as error:
            outcome = "refused"
            refused = error
    assert time.process_time() - begin < 2, "it takes too long"
    assert outside_reads(watch.opened, folder) == []
    if outcome == "refused":
        assert refused.message
        assert refused.hint
        place = refused.place
        if place is not None and place.text is not None and place.column is not None:
            assert 1 <= place.column <= len(place.text) + 1
        return outcome
    for build in model.builds:
        numbers_seen = [step.number for _, step in build.steps()]
        assert len(numbers_seen) == len(set(numbers_seen))
        assert set(build.after.reasons) <= set(numbers_seen)
        assert 0 <= build.warm.seconds <= build.cold.seconds + 1e-9
    return outcome
