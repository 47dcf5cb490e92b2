"""What is wrong with a profile file is said with its place, in plain words, with a hint; nothing else ever happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vsim.calibration import load_profile
from vsim.errors import InputError

Refuse = Callable[[str], InputError]

# Each case: the file below its first line, the word under the caret, what is said, and the hint.
CASES = {
    "unknown section": ("machnes: {}", "machnes", "unknown key 'machnes'", "did you mean 'machines'?"),
    "unknown key": (
        "machines: {laptop: {coers: {value: 3, unit: cores, MEASURED}}}",
        "coers",
        "unknown key 'coers'",
        "did you mean 'cores'?",
    ),
    "unknown key of a quantity": (
        "machines: {laptop: {cores: {vlaue: 3, unit: cores, MEASURED}}}",
        "vlaue",
        "unknown key 'vlaue'",
        "did you mean 'value'?",
    ),
    "a bare number": (
        "machines: {laptop: {cores: 4}}",
        "4}",
        "`cores` must state value, unit and source, not 4",
        "write `{value: 3, unit: cores",
    ),
    "a unit of something else": (
        "machines: {laptop: {memory_bytes: {value: 3, unit: ms, MEASURED}}}",
        "ms",
        "'ms' measures a time; a size is needed here",
        "MiB",
    ),
    "an unknown unit": (
        "machines: {laptop: {memory_bytes: {value: 3, unit: GIB, MEASURED}}}",
        "GIB",
        "'GIB' is not a unit",
        "did you mean 'G",
    ),
    "another currency": (
        "machines: {laptop: {price: {purchase: {value: 3, unit: EUR, MEASURED}}}}",
        "EUR",
        "'EUR' is not the unit here",
        "write `USD`",
    ),
    "not a number": (
        "machines: {laptop: {cores: {value: .nan, unit: cores, MEASURED}}}",
        ".nan",
        "must be a finite number, not nan",
        None,
    ),
    "infinite": (
        "machines: {laptop: {cores: {value: .inf, unit: cores, MEASURED}}}",
        ".inf",
        "must be a finite number, not inf",
        None,
    ),
    "negative": (
        "machines: {laptop: {cores: {value: -4, unit: cores, MEASURED}}}",
        "-4",
        "`value` must be at least 0",
        None,
    ),
    "text": (
        "machines: {laptop: {cores: {value: four, unit: cores, MEASURED}}}",
        "four",
        "`value` must be a number, not 'four'",
        None,
    ),
    "zero cores": (
        "machines: {laptop: {cores: {value: 0, unit: cores, MEASURED}}}",
        "{value",
        "laptop.cores: it can't be zero",
        None,
    ),
    "a chassis without slots": (
        "chassis: {m1000e: {slots: {value: 0.4, unit: 1, override: true, MEASURED}}}",
        "{value",
        "m1000e.slots: it can't be less than 1",
        None,
    ),
    "beyond all bounds": (
        "machines: {laptop: {memory_bytes: {value: 1.0e+10, unit: GiB, MEASURED}}}",
        "{value",
        "at most 1e+18",
        None,
    ),
    "a fraction above one": (
        "layers: {process: {memory: {sharing: {value: 130, unit: '%', MEASURED}}}}",
        "{value",
        "at most 1 (100 %)",
        None,
    ),
    "no source": (
        "machines: {laptop: {cores: {value: 4, unit: cores}}}",
        "{value",
        "the key 'source' is missing in `cores`",
        "add `source:`",
    ),
    "no kind": (
        "machines: {laptop: {cores: {value: 4, unit: cores, source: {why: so}}}}",
        "{why",
        "the key 'kind' is missing",
        "measured, published, derived or assumed",
    ),
    "an unknown kind": (
        "machines: {laptop: {cores: {value: 4, unit: cores, source: {kind: mesured}}}}",
        "mesured",
        "`kind` can't be 'mesured'",
        "did you mean 'measured'?",
    ),
    "a measurement without its date": (
        "machines: {laptop: {cores: {value: 4, unit: cores, source: {kind: measured, run: a, host: b, n: 3}}}}",
        "{kind",
        "the key 'date' is missing",
        "add `date:`",
    ),
    "an assumption without a range": (
        "machines: {laptop: {cores: {value: 4, unit: cores, low: 2, ASSUMED}}}",
        "{value",
        "an assumed value needs a range: `high` is missing",
        "add `high:`",
    ),
    "no value": (
        "machines: {laptop: {cores: {unit: cores, MEASURED}}}",
        "{unit",
        "the key 'value' is missing",
        "add `value:`",
    ),
    "outside its interval": (
        "machines: {laptop: {cores: {value: 4, unit: cores, low: 5, high: 6, MEASURED}}}",
        "{value",
        "the value 4 lies outside its interval 5 to 6",
        None,
    ),
    "a source that is two": (
        "reference: {a: {value: 4, unit: s, source: {kind: published, figure: maas_bios, citation: x y}}}",
        "{kind",
        "either `figure` or `citation`",
        None,
    ),
    "an unknown figure": (
        "reference: {a: {unit: s, source: {kind: published, figure: nsdi_ping_fd}}}",
        "{kind",
        "'nsdi_ping_fd' is neither a figure nor a quantity",
        "did you mean 'nsdi_ping_fc'?",
    ),
    "a number that a figure doesn't have": (
        "reference: {a: {unit: s, source: {kind: published, figure: 'maas_bios[7]'}}}",
        "{unit",
        "maas_bios[7] doesn't exist",
        None,
    ),
    "an unknown citation": (
        "reference: {a: {value: 4, unit: s, source: {kind: published, citation: felter-2015}}}",
        "{kind",
        "there is no citation 'felter-2015'",
        "did you mean 'felter-2014'?",
    ),
    "a rule that isn't one": (
        "reference: {a: {unit: s, source: {kind: derived, rule: import os}}}",
        "import",
        "the rule can't be read",
        None,
    ),
    "a rule without a value": (
        "reference: {a: {unit: s, source: {kind: derived, rule: 1 / 0}}}",
        "{unit",
        "can't be computed",
        None,
    ),
    "a cycle of rules": (
        "reference:\n"
        "  a: {unit: s, source: {kind: derived, rule: b, inputs: {b: reference.b}}}\n"
        "  b: {unit: s, source: {kind: derived, rule: a, inputs: {a: reference.a}}}",
        "{unit",
        "cyclic rules: reference.a → reference.b → reference.a",
        None,
    ),
    "a cycle through an interval": (
        "reference: {a: {value: 1, unit: s, low: a, high: 2, "
        "source: {kind: assumed, why: so, inputs: {a: reference.a}}}}",
        "{value",
        "cyclic rules: reference.a → reference.a",
        None,
    ),
    "an unknown distribution": (
        "reference: {a: {value: 1, unit: s, distribution: {family: normal}, MEASURED}}",
        "normal",
        "`family` can't be 'normal'",
        "did you mean 'lognormal'?",
    ),
    "too few points": (
        "machines: {laptop: {power_w: {points: [1, 2, 3], unit: W, MEASURED}}}",
        "[1",
        "a power curve has 11 points, from idle to full load, not 3",
        None,
    ),
    "an unknown layer": (
        "stacks: {mine: {title: Mine, layers: [host-os, contaner-engine, process]}}",
        "contaner-engine",
        "mine names the unknown layer 'contaner-engine'",
        "did you mean 'container-engine'?",
    ),
    "an unknown chassis": (
        "machines: {mine: {like: blade, title: Mine, chassis: m1000}}",
        "m1000",
        "mine names the unknown chassis 'm1000'",
        "did you mean 'm1000e'?",
    ),
    "an unknown boundary": (
        "layers: {mine: {title: Mine, boundary: hyperviser}}",
        "hyperviser",
        "`boundary` can't be 'hyperviser'",
        "did you mean 'hypervisor'?",
    ),
    "half a machine": ("machines: {mine: {title: Mine}}", "{title", "mine doesn't state `cores`", "`like:`"),
    "like an unknown one": (
        "machines: {mine: {like: rack-sever, title: Mine}}",
        "rack-sever",
        "there is no machine 'rack-sever'",
        "did you mean 'rack-server'?",
    ),
    "like itself": ("machines: {mine: {like: mine, title: Mine}}", "mine,", "there is no machine 'mine'", "there are"),
    "like another, but there": (
        "machines: {blade: {like: laptop}}",
        "laptop",
        "'blade' is there already",
        "a name of its own",
    ),
    "a name that can't be one": ("machines: {a@b: {like: laptop}}", "a@b", "`a@b` can't be 'a@b'", "match"),
    "two guests": (
        "stacks: {mine: {title: Mine, layers: [hypervisor, vmm, process]}}",
        "{title",
        "hypervisor and vmm both open a guest",
        None,
    ),
    "another format": ("extends: builtin-2", "builtin-2", "`extends` can't be 'builtin-2'", "did you mean 'builtin'?"),
    "not YAML": ("machines: {laptop", "", "this is not YAML", None),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_where_it_stands(case: str, refuse: Refuse) -> None:
    text, word, message, hint = CASES[case]
    error = refuse(text)
    assert message in error.message
    place = error.place
    assert place is not None
    assert place.file.endswith("mine.yaml")
    assert place.line is not None
    assert place.line > 1
    assert place.text is not None
    assert place.column is not None
    assert place.text[place.column - 1 :].startswith(word)
    if hint is not None:
        assert hint in (error.hint or "")


def test_a_value_that_ruins_what_derives_from_it_names_the_file(refuse: Refuse) -> None:
    error = refuse("reference: {seven_zip_mips: {value: 0, unit: MIPS, MEASURED}}")
    assert "raspberry-pi-4.core_speed: 'pi_7zip_4b_arm64[1] / reference' can't be computed" in error.message
    assert error.place is not None
    assert error.place.file.endswith("mine.yaml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"   \n\n", "the file is empty"),
        (b"- a\n", "must be a mapping"),
        (b"machines: {}\n", "the key 'schema' is missing"),
        (b"schema: vsim.scenario/1\n", "`schema` can't be 'vsim.scenario/1'"),
        (b"schema: vsim.profile/1\nname: \xff\n", "not UTF-8"),
        (b"\x00\x01", "not allowed in YAML"),
        (b"schema: vsim.profile/1\n" + b"# padding\n" * 200_000, "larger than"),
        (
            b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (98 + i, 98 + i, 97 + i, 97 + i) for i in range(24)),
            "",
        ),
        (b"[" * 100_000, ""),
    ],
    ids=["empty", "blank", "list", "no schema", "scenario", "latin-1", "binary", "huge", "alias bomb", "deep"],
)
def test_a_file_that_is_no_profile_is_refused_at_once(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        load_profile(path)
    assert time.process_time() - start < 5
    assert message in caught.value.message
    assert caught.value.place is not None


def test_a_file_that_is_not_there_is_refused_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "laptop.yaml").write_text("schema: vsim.profile/1\n")
    with pytest.raises(InputError, match="no such file") as caught:
        load_profile(tmp_path / "labtop.yaml")
    assert "laptop.yaml" in (caught.value.hint or "")


def test_rules_that_take_long_are_refused(refuse: Refuse) -> None:
    many = "\n".join(f"  r{i}: {{value: 1, unit: s, low: 0, high: 2, ASSUMED}}" for i in range(12))
    rule = " + ".join(f"r{i}" for i in range(12))
    inputs = ", ".join(f"r{i}: reference.r{i}" for i in range(12))
    text = f"reference:\n{many}\n  all: {{unit: s, source: {{kind: derived, rule: {rule}, inputs: {{{inputs}}}}}}}"
    assert "more than 10 uncertain inputs" in refuse(text).message
