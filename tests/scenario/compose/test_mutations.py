"""Whatever is done to compose files: a scenario or one InputError; soon, and without a look outside their folder.

VSIM_MUTATIONS says how many files are tried (`make test-mutations`: 10,000).
"""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsim.calibration.catalogue import load_compose
from vsim.errors import InputError
from vsim.scenario.compose.schema import check_schema

EXAMPLES = int(os.environ.get("VSIM_MUTATIONS", "300"))

RICH = """\
name: rich
include: [part.yaml]
x-vsim: {start: {images: warm}, run: {duration: 5 s}}
x-common: &common
  restart: always
  environment: {A: "${A:-1}", B: $B}
services:
  web:
    <<: *common
    build: {context: ., target: dev, args: [X=1]}
    ports: ["8080:80", {target: 443, published: "8443", protocol: tcp}, "9000-9002:9000-9002/udp"]
    volumes: ["data:/data:ro", ./src:/src, {type: tmpfs, target: /tmp}]
    networks: {front: {aliases: [w]}, default: }
    depends_on:
      db: {condition: service_healthy, restart: true}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 512m}, reservations: {memory: 128m}}}
    x-vsim: {request: {user: 2 ms}, arrivals: {rate: 5/s}, slo: 100 ms}
  db:
    extends: {file: base.yaml, service: base}
    image: "postgres:${TAG:-16}"
    healthcheck: {test: [CMD, pg_isready], interval: 1m30s, retries: 3}
    env_file: [{path: .env, required: false}]
    devices: ["/dev/null:/dev/null:r"]
    profiles: []
  tool:
    image: alpine
    profiles: [debug]
    privileged: true
    scale: 3
volumes: {data: }
networks: {front: {driver: bridge}}
secrets: {key: {file: key.txt}}
"""
BASE = "services: {base: {image: x, mem_limit: 1g, cpus: 1.5, volumes: ['data:/x'], depends_on: [cache]}}\n"
PART = "services: {cache: {image: redis, ports: ['6379:6379']}}\nvolumes: {data: }\n"
ENVIRONMENT = "A=1\nexport B=\"two $A\"\n# nothing\nC='three'\n"

# what breaks parsers, arithmetic and walls
BITS = [
    *"\t\n :-,[]{}#&*!|>'\"%@`?\\$",
    "\r\n",
    "\0",
    "\x07",
    "\ufeff",
    "é",
    "-1",
    "0",
    ".nan",
    "1e999",
    "9" * 400,
    "null",
    "true",
    "~",
    "<<: *common",
    "*common",
    "!reset ",
    "!override ",
    "!!python/object:os.system ",
    "---\n",
    "%YAML 1.2\n",
    "[" * 70,
    "${",
    "${A:-",
    "${A:?",
    "$$",
    "${A:-${A:-${A:-x}}}",
    "../outside.yaml",
    "/etc/passwd",
    "/dev/zero",
    "link.yaml",
    "https://example.org/compose.yaml",
    "    extends: {file: ../outside.yaml, service: base}\n",
    "    extends: {file: link.yaml, service: base}\n",
    "    extends: web\n",
    "    env_file: [../outside.env]\n",
    "include: [../outside.yaml]\n",
    "include: [link.yaml]\n",
    "include: [compose.yaml]\n",
    "services:\n",
    "    depends_on: [web, db]\n",
    "8080:80",
    "65536",
    "a:b:c:d",
    "2147483648g",
    "x-vsim: {memory: 1}",
]
EDITS = ("insert", "delete", "move", "repeat line", "drop line", "indent", "swap")


@st.composite
def mutated(draw: st.DrawFn, texts: list[str]) -> str:
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        edit = draw(st.sampled_from(EDITS))
        at = draw(st.integers(0, max(0, len(text) - 1)))
        length = draw(st.sampled_from([0, 1, 2, 5, 20, 200]))
        if edit == "insert":
            text = text[:at] + draw(st.sampled_from(BITS) | st.text(max_size=5)) + text[at:]
        elif edit == "delete":
            text = text[:at] + text[at + length :]
        elif edit == "move":
            to = draw(st.integers(0, max(0, len(text) - 1)))
            text = text[:to] + text[at : at + length] + text[to:]
        else:
            lines = text.splitlines(keepends=True) or [""]
            number, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            if edit == "repeat line":
                lines.insert(other, lines[number])
            elif edit == "drop line":
                del lines[number]
            elif edit == "indent":
                lines[number] = "  " + lines[number] if number % 2 else lines[number].removeprefix("  ")
            else:
                lines[number], lines[other] = lines[other], lines[number]
            text = "".join(lines)
    return text


_opened: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str | bytes):
        _opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(_hook)


@contextmanager
def only_within(folder: Path) -> Iterator[None]:
    """Fail when a file is opened that is neither in `folder` nor a part of Python, its packages or this project."""
    global _opened
    own = [folder, Path(__file__).parents[3], Path(sys.prefix), Path(sysconfig.get_paths()["stdlib"])]
    own += [Path(name) for name in sys.path if name]
    _opened = []
    try:
        yield
    finally:
        opened, _opened = _opened, None
    for name in opened:
        path = Path(name).resolve()
        assert any(path.is_relative_to(allowed.resolve()) for allowed in own), f"{name} was opened"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("compose")
    (outside / "outside.yaml").write_text(BASE, encoding="utf-8")
    (outside / "outside.env").write_text("SECRET=1\n", encoding="utf-8")
    folder = outside / "app"
    folder.mkdir()
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    (folder / "part.yaml").write_text(PART, encoding="utf-8")
    (folder / ".env").write_text(ENVIRONMENT, encoding="utf-8")
    (folder / "link.yaml").symlink_to(outside / "outside.yaml")
    return folder


def reference_texts() -> list[str]:
    """Return the real files, where they are there."""
    data = Path(os.environ.get("VSIM_REFERENCE_DATA") or Path(__file__).parents[4] / "shared" / "data")
    return [path.read_text(encoding="utf-8") for path in sorted((data / "compose").glob("*.yaml"))]


TEXTS = [*[RICH] * 10, *reference_texts()]


def error_of(path: Path) -> InputError | None:
    """Return what is wrong with the file, or None; it is told within two seconds of the processor."""
    before = time.process_time()
    try:
        with only_within(path.parent):
            load_compose(path)
    except InputError as error:
        return error
    finally:
        assert time.process_time() - before < 2
    return None


def check(path: Path) -> None:
    error = error_of(path)
    if error is None:
        return
    assert error.message
    assert error.hint
    place = error.place
    assert place is not None
    if place.text is not None and place.column is not None:
        assert 1 <= place.column <= len(place.text) + 1


def test_the_files_are_fine_before_they_are_changed(folder: Path) -> None:
    path = folder / "compose.yaml"
    path.write_text(RICH, encoding="utf-8")
    assert error_of(path) is None
    assert check_schema  # loaded, so that its time isn't counted below


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)
@given(text=mutated(TEXTS))
def test_a_mutated_file_is_valid_or_an_input_error(text: str, folder: Path) -> None:
    path = folder / "compose.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    check(path)


@settings(
    max_examples=max(50, EXAMPLES // 4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(base=mutated([BASE]), part=mutated([PART]), environment=mutated([ENVIRONMENT]))
def test_mutated_files_around_it(base: str, part: str, environment: str, folder: Path) -> None:
    path = folder / "compose.yaml"
    path.write_text(RICH, encoding="utf-8")
    texts = {"base.yaml": (base, BASE), "part.yaml": (part, PART), ".env": (environment, ENVIRONMENT)}
    try:
        for name, (text, _) in texts.items():
            (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        check(path)
    finally:
        for name, (_, text) in texts.items():
            (folder / name).write_text(text, encoding="utf-8")


def test_every_line_left_out(folder: Path) -> None:
    lines = RICH.splitlines(keepends=True)
    path = folder / "compose.yaml"
    for number in range(len(lines)):
        path.write_text("".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        check(path)
