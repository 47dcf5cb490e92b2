"""What a command loads, counted: time is measured in benchmarks/, where noise may be discussed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vsim import simulate

HEAVY = {
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "simpy",
    "pydantic",
    "rich",
    "ruamel",
    "joblib",
    "docker",
    "distributed",
}


def loaded(code: str) -> set[str]:
    """Return the heavy packages that running `code` loads."""
    code += f"\nimport sys; print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def of_command(*arguments: str) -> set[str]:
    return loaded(
        f"from vsim.cli import main\ntry: main({list(arguments)!r})\nexcept SystemExit as e: assert not e.code"
    )


def test_importing_vsim_loads_nothing():
    assert loaded("import vsim") == set()


@pytest.mark.parametrize(
    "command",
    [[], *([name] for name in ("simulate", "explain", "schema", "bench", "clean", "doctor", "image", "build-model"))],
    ids=str,
)
def test_help_loads_nothing(command: list[str]):
    assert of_command(*command, "--help") == set()


def test_a_comparison_does_without_what_it_does_not_need():
    # scipy takes longer to import than a small comparison takes; pydantic checks files of the user's only
    assert not {"scipy", "pandas", "matplotlib", "docker", "distributed"} & of_command(
        "simulate", "--replications", "1"
    )


def test_the_default_comparison_takes_so_many_events_and_runs():
    # 60 requests a second for 15 s at three events each or more, 43 starts, 2 years of failures: some thousand events.
    # One run of screening for each uncertain parameter and architecture that uses it, and the leaders' other ends.
    runs = 0

    def progress(done: int, known: int) -> None:
        nonlocal runs
        runs = known

    result = simulate(replications=2, jobs=1, progress=progress)
    for architecture in result.architectures:
        assert all(2_000 < events < 9_000 for events in architecture.events)
    assert runs < 350


def test_what_an_architecture_yields_does_not_depend_on_what_it_is_compared_with():
    names = ["vm@rack-server", "container@rack-server"]
    both = simulate("blade-failure", on=names, replications=2, jobs=1)
    alone = simulate("blade-failure", on=names[1:], replications=2, jobs=1)
    assert both.architectures[1] == alone.architectures[0]
    assert both.architectures[1].values == alone.architectures[0].values
    assert both.architectures[1].events == alone.architectures[0].events
