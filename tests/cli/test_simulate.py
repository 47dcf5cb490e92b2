"""``vsim simulate`` as a user calls it, in processes of their own."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cli.command import SMALL, environment, vsim
from vsim.calibration import builtin
from vsim.samples.metrics import METRICS
from vsim.samples.result import result_schema
from vsim.scenario import presets

# The metric names that the design fixes.
DESIGN = """
    hosts rack_units instances_per_host unplaced memory_overhead_bytes cpu_overhead_fraction provision_s
    startup_p50_s startup_p95_s startup_p99_s latency_p50_s latency_p95_s latency_p99_s throughput_per_s
    slo_fraction availability blast_radius_instances energy_wh cost_per_month
""".split()  # noqa: SIM905  # a list of strings would be one line of 342 columns, or 19 lines


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_json_is_a_valid_result_with_the_metrics_of_the_design(small: Path):
    done = vsim("simulate", small, "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    Draft202012Validator(result_schema()).validate(result)
    assert result["schema"] == "vsim.result/1"
    assert [a["name"] for a in result["architectures"]] == ["vm@rack-server", "container@rack-server"]
    assert set(METRICS) == set(DESIGN)
    for architecture in result["architectures"]:
        # everything applies to this scenario
        assert list(architecture["metrics"]) == [name for name in METRICS if name in DESIGN]
        for estimate in architecture["metrics"].values():
            assert set(estimate) == {"value", "low", "high", "unit"}
            assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_the_same_bytes_for_any_jobs_run_and_hash_seed_and_others_for_another_seed(small: Path):
    def bytes_of(*more: str, hash_seed: str = "0") -> bytes:
        done = vsim("simulate", small, "--format", "json", *more, PYTHONHASHSEED=hash_seed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = bytes_of("--jobs", "1")
    assert bytes_of("--jobs", "1", hash_seed="1") == first
    assert bytes_of("--jobs", "2", hash_seed="random") == first
    assert bytes_of() == first
    assert bytes_of("--jobs", "1", "--seed", "2") != first


def test_files_are_the_same_bytes_too(small: Path, tmp_path: Path):
    for name, jobs in (("a", 1), ("b", 2)):
        assert vsim("simulate", small, "--out", tmp_path / name, "--jobs", jobs).returncode == 0
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "b").iterdir())
    assert {"result.json", "metrics.csv", "differences.csv"} <= set(names)
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("form", ["table", "md"])
def test_piped_output_has_no_escapes_and_fits_80_columns(small: Path, form: str):
    done = vsim("simulate", small, "--format", form)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""
    if form == "table":
        assert max(map(len, done.stdout.decode().splitlines())) <= 80


def test_csv_is_tidy(small: Path):
    rows = list(csv.DictReader(io.StringIO(vsim("simulate", small, "--format", "csv").stdout.decode())))
    assert set(rows[0]) == {"architecture", "metric", "value", "low", "high", "unit"}
    assert len(rows) == 2 * len(METRICS)


def terminal(arguments: list[str], **changes: str) -> bytes:
    """Return what the command writes to a terminal (standard output and error alike)."""
    import pty

    output = b""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "vsim", *arguments], environment(TERM="xterm", **changes))
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        output += piece
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, output
    return output


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_colours_in_a_terminal_unless_no_color(small: Path):
    assert b"\x1b[" in terminal(["simulate", str(small)])
    assert b"\x1b[" not in terminal(["simulate", str(small)], NO_COLOR="1")


def test_a_reader_that_goes_away_is_no_error(small: Path):
    command = f"{sys.executable} -m vsim simulate {small} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.stdout == b"A small comparison\n"
    assert done.stderr == b""
    assert done.returncode == 0


def on(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--on", name)]


# -- what can be compared ----------------------------------------------------------------------------------------------


def test_the_architectures_of_the_command_line_replace_those_of_the_scenario():
    names = ["container@raspberry-pi-4", "vm@raspberry-pi-4", "bare-metal@blade"]
    done = vsim(
        "simulate", *(word for name in names for word in ("--on", name)), "--replications", 1, "--format", "json"
    )
    assert done.returncode == 0, done.stderr
    assert [a["name"] for a in json.loads(done.stdout)["architectures"]] == names


def test_every_stack_on_every_machine_works_or_says_why_not(small: Path):
    profile = builtin()
    sensible = set(profile.architectures())
    every = [f"{stack}@{machine}" for stack in profile.stacks for machine in profile.machines]
    assert len(every) == 42
    done = vsim(
        "simulate", small, "--replications", 1, *(w for name in every if name in sensible for w in ("--on", name))
    )
    assert done.returncode == 0, done.stderr
    for name in set(every) - sensible:
        done = vsim("simulate", small, "--on", name)
        assert done.returncode == 2
        assert f"error: {name} makes no sense".encode() in done.stderr
        assert b"hint: " in done.stderr


@pytest.mark.parametrize("name", presets())
def test_presets(name: str):
    done = vsim("simulate", name, "--replications", 1)
    assert done.returncode == 0, done.stderr
    assert b"seed 1" in done.stdout


def test_a_recorded_trace(reference_data: Path):
    trace = reference_data / "traces" / "bitbrains-one-vm.csv"
    done = vsim("simulate", "consolidation", "--trace", trace, "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {a["metrics"]["hosts"]["value"] for a in result["architectures"]} == {1}  # it is one VM's


def test_until_precise(small: Path):
    done = vsim("simulate", small, "--replications", "auto", "--metric", "latency_p50_s", "--format", "json")
    result = json.loads(done.stdout)
    assert result["precision"]["reached"]
    for architecture in result["architectures"]:
        found = architecture["metrics"]["latency_p50_s"]
        assert (found["high"] - found["low"]) / 2 <= 0.05 * found["value"]


def test_the_whole_scenario_for_every_parameter(tmp_path: Path):
    scenario = tmp_path / "tiny.yaml"
    scenario.write_text(SMALL.replace("replicas: 4", "replicas: 1").replace("duration: 2 s", "duration: 0.2 s"))
    done = vsim("simulate", scenario, "--sensitivity", "--on", "container@rack-server", "--format", "json")
    assert done.returncode == 0, done.stderr
    sensitivity = json.loads(done.stdout)["sensitivity"]
    assert sensitivity["method"] == "full"
    assert sensitivity["tried"] == sensitivity["uncertain"] > 50
    # the container engine's own latency moves latency
    moved = {s["parameter"] for s in sensitivity["swings"] if s["metric"] == "latency_p95_s"}
    assert "container-engine.cpu.system_call_factor" in moved


# -- what can't --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["nosuch"], "there is no scenario 'nosuch'", "the presets are"),
        (["evolutoin"], "there is no scenario 'evolutoin'", "evolution"),
        (["--on", "container@rasberry-pi-4"], "there is no machine 'rasberry-pi-4'", "raspberry-pi-4"),
        (["--on", "contaner@blade"], "there is no stack 'contaner'", "container"),
        (["--on", "container"], "'container' is not an architecture", "STACK@MACHINE"),
        (["--backend", "dask"], "needs the address of a scheduler", "--scheduler"),
        (["--scheduler", "tcp://x:1"], "dask backend only", "--backend dask"),
        (["--metric", "latency", "--replications", "auto"], "unknown metric 'latency'", "latency_p"),
        (["--profile", "no.yaml"], "no.yaml", ""),
    ],
)
def test_wrong_words(arguments: list[str], message: str, hint: str, tmp_path: Path):
    start = time.monotonic()
    done = vsim("simulate", *arguments, cwd=tmp_path)
    assert time.monotonic() - start < 10  # a second or two on a quiet machine
    assert done.returncode == 2
    assert done.stdout == b""
    assert message in done.stderr.decode()
    assert hint in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_directory_with_other_files_is_left_alone(small: Path, tmp_path: Path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("precious")
    done = vsim("simulate", small, "--out", tmp_path / "thesis")
    assert done.returncode == 2
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(number: int, tmp_path: Path):
    scenario = tmp_path / "long.yaml"
    scenario.write_text(SMALL.replace("replications: 3", "replications: 5000"))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "vsim", "simulate", str(scenario), "--out", str(out), "--jobs", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as running:
        time.sleep(2)
        assert running.poll() is None
        running.send_signal(number)
        stdout, stderr = running.communicate(timeout=20)
    assert running.returncode == 130
    assert stdout == b""
    assert stderr.strip() == b"interrupted"  # on a line of its own, after ^C
    assert [path.name for path in tmp_path.iterdir()] == ["long.yaml"]


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_ctrl_c_in_a_terminal_ends_the_bar_and_the_workers(tmp_path: Path):
    # A terminal gives the signal to all of the workers, too: none of them may print anything.
    import pty

    scenario = tmp_path / "long.yaml"
    scenario.write_text(SMALL.replace("replications: 3", "replications: 5000"))
    arguments = ["-m", "vsim", "simulate", str(scenario), "--jobs", "2", "--out", str(tmp_path / "out")]
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, *arguments], environment(TERM="xterm"))
    output = b""
    pressed = False
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(fd, 65536):
            output += piece
            # The bar comes after a second, and shows how much is done of 10,000 runs.
            if not pressed and re.search(rb" [1-9]\d+/10000", output):
                os.write(fd, b"\x03")
                pressed = True
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert pressed
    assert output.endswith(b"\r\ninterrupted\r\n")
    assert b"Traceback" not in output
    assert b"\x1b[?25h" in output.rpartition(b"/10000")[2]  # the cursor is there again
    assert [path.name for path in tmp_path.iterdir()] == ["long.yaml"]


def test_a_bug_leaves_a_crash_file_and_no_traceback(small: Path, tmp_path: Path):
    code = (
        "import vsim.api, vsim.cli\n"
        "def simulate(*a, **k): raise ZeroDivisionError('planted')\n"
        "vsim.api.simulate = simulate\n"
        "vsim.cli.main({arguments})"
    )

    def crash(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = code.format(arguments=[*arguments, "simulate", str(small)])
        changed = environment(TMPDIR=str(tmp_path))
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=changed, check=False)

    done = crash()
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    (report,) = tmp_path.glob("vsim-crash-*.txt")
    assert str(report) in done.stderr
    assert "ZeroDivisionError: planted" in report.read_text()
    assert "Traceback" in crash("--debug").stderr
