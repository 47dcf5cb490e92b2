"""Whatever is done to a Dockerfile: it is modelled, or one InputError says what is wrong; nothing outside is read."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.scenario.dockerfile.mutants import TEXTS, Watch, check, mutant, prepare
from vsim.calibration.profile_file import builtin

# some hundred here; `make test-mutations` asks for 10,000
COUNT = int(os.environ.get("VSIM_MUTATIONS", "300"))
WATCH = Watch()


def test_mutated_dockerfiles_are_modelled_or_refused(tmp_path: Path) -> None:
    folder, profile = prepare(tmp_path), builtin()
    outcomes: Counter[str] = Counter()
    for seed in range(COUNT):
        numbers = random.Random(seed)
        text, ignore = mutant(numbers)
        try:
            outcomes[check(text, ignore, folder, profile, numbers, WATCH)] += 1
        except BaseException as error:
            error.add_note(f"seed {seed}:\n{text}\n-- .dockerignore\n{ignore}")
            raise
    # the mutants are neither all hopeless nor all harmless
    assert min(outcomes["valid"], outcomes["refused"]) > COUNT / 20


@pytest.mark.parametrize("text", TEXTS, ids=["python", "windows"])
def test_every_line_left_out_and_every_line_twice(text: str, tmp_path: Path) -> None:
    folder, profile = prepare(tmp_path), builtin()
    lines = text.splitlines(keepends=True)
    for number in range(len(lines)):
        for changed in (
            lines[:number] + lines[number + 1 :],
            lines[:number] + lines[number : number + 1] * 2 + lines[number + 1 :],
        ):
            check("".join(changed), "", folder, profile, random.Random(number), WATCH)


def test_the_watch_sees_what_is_opened_outside(tmp_path: Path) -> None:
    from tests.scenario.dockerfile.mutants import outside_reads

    folder = prepare(tmp_path)
    with WATCH.watching():
        (folder / "link" / "secret").read_text(encoding="utf-8")
        (tmp_path / "outside" / "secret").read_text(encoding="utf-8")
        Path("/etc/passwd").read_bytes()
    # a path through the link begins like one inside: the tests of the context show that links aren't followed
    assert [one.rpartition("/")[2] for one in outside_reads(WATCH.opened, folder)] == ["secret", "passwd"]
