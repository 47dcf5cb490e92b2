"""Whatever is wrong with a scenario is one InputError: at its place, in plain words, with a hint, and soon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.scenario import load_scenario

HEAD = "schema: vsim.scenario/1\narchitectures: [container@rack-server]\n"
BASE = HEAD + "services:\n  web:\n    replicas: 2\n    image: 50 MB\n    memory: 64 MiB\n"
ASKED = BASE + "    request: {user: 5 ms}\n    arrivals: {kind: poisson, rate: 5/s}\n"


def refused(tmp_path: Path, text: str | bytes) -> InputError:
    """Return the error about a scenario of this text, which takes less than two seconds of the processor."""
    path = tmp_path / "scenario.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = time.process_time()
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert time.process_time() - before < 2
    return caught.value


# what is changed in ASKED, the part of the file under the caret, a part of the message, a part of the hint
CHANGES = [
    ("memory: 64", "memmory: 64", "memmory", "unknown key 'memmory'", "did you mean 'memory'?"),
    ("replicas", "Replicas", "Replicas", "unknown key 'Replicas'", "did you mean 'replicas'?"),
    ("services", "servces", "servces", "unknown key 'servces'", "did you mean 'services'?"),
    ("rate", "rat", "rat", "unknown key 'rat'", "did you mean 'rate'?"),
    ("    image: 50 MB\n", "", "replicas", "the key 'image' is missing in `web`", "add `image:`"),
    ("schema: vsim.scenario/1\n", "", "architectures", "the key 'schema' is missing", "add `schema:`"),
    ("scenario/1", "scenario/2", "vsim", "'vsim.scenario/2' is not known", "`schema: vsim.scenario/1`"),
    ("64 MiB", "64 ms", "64", "'ms' measures a time; a size is needed", "MiB"),
    ("64 MiB", "64 MiBs", "64", "'MiBs' is not a unit", "did you mean 'MiB'?"),
    ("64 MiB", "many", "many", "'many' is not a size", "`512 MiB`"),
    ("64 MiB", "-64 MiB", "-64", "zero or more", "`512 MiB`"),
    ("64 MiB", "0", "0", "needs some memory", "`512 MiB`"),
    ("64 MiB", ".nan", ".nan", "finite", "`512 MiB`"),
    ("64 MiB", "nan", "nan", "finite", "`512 MiB`"),
    ("64 MiB", "-.inf", "-.inf", "finite", "`512 MiB`"),
    ("64 MiB", "1e400", "1e400", "finite", "`512 MiB`"),
    ("64 MiB", "true", "true", "a size is needed, not true", "`512 MiB`"),
    ("64 MiB", "1" + 200 * "0", "1", "at most", "`512 MiB`"),
    ("64 MiB", "1" + 5000 * "0", "1", "5,001 digits", "300"),
    ("64 MiB", "[64]", "[", "a size is needed, not a list", "`512 MiB`"),
    ("50 MB", "{size: 50 MBB}", "50", "'MBB' is not a unit", "did you mean 'MB'?"),
    ("50 MB", "{size: 50 MB, nme: x}", "nme", "unknown key 'nme'", "did you mean 'name'?"),
    ("replicas: 2", "replicas: 0", "0", "`replicas` must be at least 1, not 0", "How many"),
    ("replicas: 2", "replicas: 10000001", "1000", "at most 1,000,000", "How many"),
    ("replicas: 2", "replicas: 2.5", "2.5", "a whole number, not 2.5", "How many"),
    ("replicas: 2", "replicas: 2\n    needs: 3", "3", "3 replicas are needed, but there are 2", "Default: 1"),
    ("container@rack-server", "container", "container", "is not an architecture", "STACK@MACHINE"),
    ("container@rack-server", "a@b, a@b", "a@b]", "a@b is there twice", "remove one"),
    ("[container@rack-server]", "[]", "[]", "must not be empty", "STACK@MACHINE"),
    ("poisson", "posson", "posson", "can't be 'posson'", "did you mean 'poisson'?"),
    ("rate: 5/s", "rate: 5 MB", "5 MB", "'MB' measures a size; a rate is needed", "/min"),
    ("rate: 5/s", "rate: 1e6/s", "{kind", "7e+07 requests", "shorter `run.duration`"),
    ("rate: 5/s", "rate: 5/s, burst_factor: 3", "burst", "goes with `kind: bursty`", "remove it"),
    (", rate: 5/s", "", "{kind", "need `rate`", "add `rate:`"),
    ("poisson, rate: 5/s", "trace, rate: 5/s", "{kind", "need `trace`", "add `trace:`"),
    ("poisson", "bursty, burst_share: 1", "1", "less than 1", "the part of the time"),
    ("poisson", "bursty, burst_length: 1 ns", "1 ns", "1,000,000 bursts", "longer `burst_length`"),
    ("    request: {user: 5 ms}\n", "", "arrivals", "`arrivals` goes with `request`", "add `request:`"),
    ("{user: 5 ms}", "{cv: 2}", "{cv", "demands nothing", "`user: 5 ms`"),
    ("  web:", "  a b:", "a b", "'a b' can't be a name", "letters"),
    ("services:", "services: &a\n  x: *a", "*a", "stands inside the value that it names", "break the cycle"),
    ("replicas: 2", "replicas: *n", "*n", "no anchor &n", "&n"),
    ("replicas: 2", "replicas: !!python/object:os.system 2", "!!python", "tag", "plain values"),
    ("replicas: 2", "replicas: 2\n    replicas: 3", "replicas: 3", "is there twice", "line 5"),
    ("    replicas", "\treplicas", "\t", "a tab can't indent YAML", "use spaces"),
    ("replicas: 2", "replicas: 2: 3", ": 3", "this is not YAML", "colon"),
    ("[container", "[[container", "services", "this is not YAML", "bracket"),
]


@pytest.mark.parametrize(("old", "new", "under", "message", "hint"), CHANGES)
def test_change(tmp_path: Path, old: str, new: str, under: str, message: str, hint: str) -> None:
    assert old in ASKED
    error = refused(tmp_path, ASKED.replace(old, new, 1))
    place = error.place
    assert place is not None
    assert place.text is not None
    assert place.column is not None
    assert message in error.message
    assert hint in (error.hint or "")
    assert place.text[place.column - 1 :].startswith(under)


# what is appended to BASE, and as above
ADDITIONS = [
    ("fleet: {placement: firstfit}", "firstfit", "can't be 'firstfit'", "did you mean 'first-fit'?"),
    ("fleet: {cpu_overcommit: 0}", "0", "more than zero", "`0.3`"),
    ("fleet: {isolation: namespaces}", "namespaces", "can't be", "did you mean 'namespace'?"),
    ("fleet: [hosts]", "[hosts]", "must be a mapping", "the keys here are hosts"),
    ("run: {replications: autoo}", "autoo", "can't be 'autoo'", "did you mean 'auto'?"),
    ("run: {replications: 0}", "0", "at least 1, not 0", "`auto`"),
    ("run: {duration: 1000 years}", "1000", "at most", "`200 ms`"),
    ("run: {seed: -1}", "-1", "at least 0", "random"),
    ("run: {precision: {minimum: 9, maximum: 5}}", "9", "more than the maximum", "at least"),
    ("run:", "", "must be a mapping of keys and values, not nothing", "the keys here are duration"),
    ("jobs: nowhere.csv", "nowhere", "there is no file", "relative to the scenario's folder"),
    ("demands: {trace: nowhere.csv}", "nowhere", "there is no file", "relative to the scenario's folder"),
    (
        "demands: {generated: {instances: 9, interval: 1 ms, cores: [1], memory_per_core: 1, mean: 0}}",
        "1 ms",
        "100,000 intervals",
        "longer",
    ),
    (
        "demands: {generated: {instances: 9, cores: [1], memory_per_core: 1, mean: 0}}\nrun: {duration: 10 years}",
        "demands",
        "1,051,200 intervals of 9 instances",
        "shorter",
    ),
    ("demands: {}", "{}", "`trace`, or are `generated`", "one of the two"),
    (
        "incidents: [{what: machine, at: 2 min}]\nrun: {duration: 1 min}",
        "2 min",
        "after the end of the window of 60 s",
        "When",
    ),
    ("incidents: [{what: machine, at: 1, cuont: 1}]", "cuont", "unknown key", "did you mean 'count'?"),
    (
        "incidents: [{what: machine, at: 1}]\nreliability: {years: 1}",
        "incidents",
        "can't be in one run",
        "remove `incidents` or `reliability`",
    ),
    ("sweep: {parameters: {services.web.replicas: [1, -2]}}", "-2", "at least 1, not -2", "How many"),
    ("sweep: {parameters: {services.web.memory: [1 MiB, 2 s]}}", "2 s", "'s' measures a time", "MiB"),
    ("sweep: {parameters: {services.web.memmory: [1]}}", "services", "has no 'memmory'", "did you mean 'memory'?"),
    ("sweep: {parameters: {services.wbe.memory: [1]}}", "services", "no service 'wbe'", "did you mean 'web'?"),
    ("sweep: {parameters: {service.web.memory: [1 MiB]}}", "1 MiB", "takes a number", "did you mean 'services'?"),
    ("sweep: {parameters: {services.web: [1]}}", "services", "is a group", "go on with replicas"),
    ("sweep: {parameters: {services.web.request.user: [1]}}", "services", "there is no 'request'", "state `request:`"),
    ("sweep: {parameters: {services: [1]}}", "services", "is a group", "name a service"),
    ("sweep: {parameters: {fleet: [1]}}", "fleet", "is a group", "go on with hosts"),
    ("sweep: {parameters: {fleet.hosts: []}}", "[]", "must not be empty", "parameter"),
    ("sweep: {parameters: {sweep.mode: [grid]}}", "sweep.mode", "can't be swept", "several files"),
    ("sweep: {parameters: {architectures: [[ab]]}}", "[ab]", "is not an architecture", "STACK@MACHINE"),
    (
        "sweep: {mode: list, parameters: {fleet.hosts: [1, 2], fleet.min_hosts: [1]}}",
        "parameters",
        "there are 2 and 1 of them",
        "equally long",
    ),
    (
        "sweep: {parameters: {fleet.hosts: [" + "1, " * 200 + "1], fleet.min_hosts: [" + "1, " * 200 + "1]}}",
        "sweep",
        "40,401 combinations",
        "several files",
    ),
]


@pytest.mark.parametrize(("text", "under", "message", "hint"), ADDITIONS)
def test_addition(tmp_path: Path, text: str, under: str, message: str, hint: str) -> None:
    error = refused(tmp_path, f"{BASE}{text}\n")
    place = error.place
    assert place is not None
    assert place.text is not None
    assert place.column is not None
    assert message in error.message
    assert hint in (error.hint or "")
    assert place.text[place.column - 1 :].startswith(under)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"hello\n", "must be a mapping"),
        (b"- a\n- b\n", "must be a mapping"),
        (b"a: 1\n---\nb: 2\n", "a second document"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "not allowed in YAML"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8"),
        (BASE.encode("utf-16"), "is not UTF-8"),
        (b"[" * 100_000, "nested"),
        (b"a: " * 100_000, "this is not YAML"),
        (b"{a: " * 10_000, "nested"),
        (b"- " * 10_000, "nested"),
        (b"a: 'unfinished\n", "this is not YAML"),
        (b"a: &x [*x]\n", "inside the value that it names"),
        (b"a: &x {b: *x}\n", "inside the value that it names"),
        (b"? [a]\n: 1\n", "a key can't be a list"),
        (b"1: 2\n", "a key must be text"),
        (b"a: 1\n" * 2, "is there twice"),
        (b"%YAML 9.9\n---\na: 1\n", ""),
        (b"!!map\n", ""),
    ],
)
def test_broken_file(tmp_path: Path, text: bytes, message: str) -> None:
    error = refused(tmp_path, text)
    assert message in error.message
    assert error.place is not None
    assert error.place.line is not None


def test_alias_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    error = refused(tmp_path, "\n".join(lines))
    assert "30,000" in error.message
    assert "aliases" in (error.hint or "")


def test_merge_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 {k0: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: 1}}" for n in range(1, 12)]
    assert "30,000" in refused(tmp_path, "\n".join(lines)).message


def test_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 1024**2)  # sparse
    before = time.process_time()
    with pytest.raises(InputError, match="larger than 1 MiB"):
        load_scenario(path)
    assert time.process_time() - before < 0.5


def test_many_keys_take_bounded_time(tmp_path: Path) -> None:
    services = "".join(f"  s{n}: {{image: 1, memory: 1}}\n" for n in range(20_000))
    assert "30,000" in refused(tmp_path, f"{HEAD}services:\n{services}").message


def test_the_largest_sweep_is_checked_soon(tmp_path: Path) -> None:
    services = "".join(f"  s{n}: {{image: 1, memory: 1}}\n" for n in range(2000))
    keys = ["memory", "replicas", "image", "cpu", "memory_cv", "shareable", "memory_touched", "needs"]
    values = f"[{', '.join(['1'] * 1000)}]"
    swept = "".join(f"    services.s1999.{key}: {values}\n" for key in keys)
    text = f"{HEAD}services:\n{services}sweep:\n  mode: list\n  parameters:\n{swept}    fleet.hosts: [1]\n"
    assert "there are 1000, 1000" in refused(tmp_path, text).message
    path = tmp_path / "scenario.yaml"
    path.write_text(text.replace("    fleet.hosts: [1]\n", ""), encoding="utf-8")
    before = time.process_time()
    assert load_scenario(path).sweep is not None
    assert time.process_time() - before < 6


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a file"):
        load_scenario(tmp_path)


def test_missing_file_suggests_a_neighbour(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(BASE)
    with pytest.raises(InputError, match="no such file") as caught:
        load_scenario(tmp_path / "shp.yaml")
    assert "shop.yaml" in (caught.value.hint or "")


def test_unknown_preset() -> None:
    with pytest.raises(InputError, match="neither a preset nor a file") as caught:
        load_scenario("evolutoin")
    assert caught.value.hint == "did you mean 'evolution'?"
    with pytest.raises(InputError) as caught:
        load_scenario("zzz")
    assert "consolidation" in (caught.value.hint or "")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")  # as for anybody but root, who may run the tests

    path = tmp_path / "scenario.yaml"
    path.write_text(BASE)
    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(InputError, match="may not be read") as caught:
        load_scenario(path)
    assert "permissions" in (caught.value.hint or "")


def test_named_pipe_without_writer_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    os.mkfifo(path)
    before = time.monotonic()
    with pytest.raises(InputError):
        load_scenario(path)
    assert time.monotonic() - before < 2


def test_bytes_of_other_systems_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    assert load_scenario(path).workload.services[0].replicas == 2
    path.write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").replace("memory", "memmory").encode())
    error = refused(tmp_path, path.read_bytes())
    assert error.place is not None
    assert (error.place.line, error.place.column) == (7, 5)
    assert error.place.text == "    memmory: 64 MiB"
