"""What a command loads, counted: time is measured in benchmarks/, where noise may be discussed."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
    "command", [[], *([name] for name in ("simulate", "explain", "schema", "bench", "clean", "doctor"))], ids=str
)
def test_help_loads_nothing(command: list[str]):
    assert of_command(*command, "--help") == set()


def test_a_comparison_does_without_what_it_does_not_need():
    # scipy takes longer to import than a small comparison takes; pydantic checks files of the user's only
    assert not {"scipy", "pandas", "matplotlib", "docker", "distributed"} & of_command(
        "simulate", "--replications", "1"
    )
