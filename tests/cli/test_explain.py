"""``vsim explain``: parameters, groups, architectures, figures and results, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vsim.calibration import builtin
from vsim.cli import cli
from vsim.cli._boundary import run
from vsim.cli._parameters import number, ranged, shown
from vsim.errors import InputError
from vsim.model.quantity import quantities
from vsim.samples.result import Parameter, Sensitivity, Swing
from vsim.samples.result import Result as Comparison
from vsim.samples.result_files import write_result


def explain(*arguments: str, width: int = 80) -> Result:
    return CliRunner(env={"COLUMNS": str(width)}).invoke(cli, ["explain", *arguments])


def text(*arguments: str) -> str:
    result = explain(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> InputError:
    error = explain(*arguments).exception
    assert isinstance(error, InputError)
    return error


def test_every_parameter_is_listed_with_value_interval_and_source_in_80_columns() -> None:
    lines = text().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("\x1b" in line for line in lines)  # nobody asked for colour in a pipe
    group, listed = "", {}
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line and not line.startswith(" "):
            group = line.partition(" ")[0]
        elif line.startswith("  ") and not line.startswith("   "):
            listed[f"{group}.{line.split()[0]}"] = (line, following)
    assert set(listed) == set(builtin().quantities)
    for name, (line, following) in listed.items():
        assert len(line.split()) >= 3, line
        assert following.strip().startswith(f"{builtin().quantities[name].source.kind}: ")


def test_a_parameter_is_told_with_its_rule_and_the_inputs() -> None:
    told = text("container-engine.startup.create.cpu_core_s")
    for expected in (
        "value         150 core-ms (0.15 core-s)",
        "interval      45 to 480 core-ms",  # 0.3 × 0.3 / 2 to 1.2 × 0.8 / 2
        "varies        lognormal, coefficient of variation 0.3",
        "source        derived",
        "rule          total * share / 2",
        "total       reference.container_start_s: 600 ms, 0.3 to 1.2 s, derived",
        "share       reference.container_start_cpu_share: 0.5, 0.3 to 0.8, assumed",
        "why           Half of the start's CPU work",
        "used by       container, sandboxed-container, container-in-vm,\n                container-on-desktop",
    ):
        assert expected in told


def test_a_published_parameter_is_told_with_its_citation_place_and_conditions() -> None:
    told = " ".join(text("vmm.memory.unit_bytes").split())
    assert "citation Agache et al., 'Firecracker: Lightweight Virtualization for Serverless Applications'" in told
    assert "place Fig. 7" in told
    assert "conditions AWS m5d.metal" in told
    assert "high nsdi_mem_overhead_chv (nsdi_mem_overhead_chv = 13.3 MiB" in told


def test_a_curve_is_told_point_by_point() -> None:
    assert "at loads      7, 12, 16, 20, 24, 28, 31, 34, 37, 41, 45 W at 0, 10, …, 100 %" in text("laptop.power_w")


def of_parts(name: str, *parts: str) -> bool:
    """Whether the quantity is one of these parts' own; what supervising a layer costs is beside the stack."""
    supervised = {quantity.name for quantity in quantities([*builtin().supervision.values()])}
    return name.partition(".")[0] in parts and name not in supervised


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("raspberry-pi-4", lambda name: name.startswith("raspberry-pi-4.")),
        ("container-engine.memory", lambda name: name.startswith("container-engine.memory.")),
        ("site", lambda name: name.startswith("site.")),
        ("microvm", lambda name: of_parts(name, "host-os", "vmm", "guest-kernel", "process")),
        ("bare-metal@laptop", lambda name: of_parts(name, "host-os", "process", "laptop", "site")),
    ],
)
def test_a_group_lists_what_belongs_to_it(what: str, names: object) -> None:
    content = json.loads(text(what, "--format", "json"))
    found = {parameter["name"] for parameter in content["parameters"]}
    assert found == {name for name in builtin().quantities if names(name)}  # type: ignore[operator]
    assert text(what).startswith(f"{what}: {len(found)} parameters (")


def test_a_figure_is_told_with_who_uses_it() -> None:
    told = text("maas_bios")
    assert "citation      Canonical MAAS blueprint" in told
    assert "rack-server.startup.power-on.wait_s" in told


def test_json_holds_everything() -> None:
    content = json.loads(text("--format", "json"))
    assert content["profile"] == "builtin"
    assert [parameter["name"] for parameter in content["parameters"]] == list(builtin().quantities)
    (one,) = json.loads(text("vmm.memory.unit_bytes", "--format", "json"))["parameters"]
    assert (one["value"], one["unit"], one["source"]["kind"]) == (2.5 * 2**20, "bytes", "published")
    assert one["source"]["inputs"] == ["nsdi_mem_overhead_fc", "nsdi_mem_overhead_chv"]
    assert one["used_by"] == ["microvm"]
    assert json.loads(text("nsdi_ping_fc", "--format", "json"))["value"] == 0.123


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("container-engine.memory.unit_byte", "did you mean 'container-engine.memory.unit_bytes'?"),
        ("contaner-engine", "did you mean 'container-engine'?"),
        ("raspberry-pi-3", "did you mean 'raspberry-pi-"),
        ("nsdi_ping_fd", "did you mean 'nsdi_ping_fc'?"),
        ("core_speed", "there are tower-server.core_speed, rack-server.core_speed"),
        ("xyzzy", "`vsim explain` lists all parameters"),
        ("", "`vsim explain` lists all parameters"),
    ],
)
def test_an_unknown_name_is_refused_with_a_hint(what: str, hint: str) -> None:
    error = refused(what)
    assert error.message == f"there is no parameter, figure or result {what!r}"
    assert hint in (error.hint or "")


def test_an_architecture_that_makes_no_sense_says_why() -> None:
    assert "doesn't offer nested-paging" in refused("microvm@tower-server").message


def test_a_users_profile_counts_and_its_warnings_go_to_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "schema: vsim.profile/1\n"
        "machines:\n"
        "  laptop:\n"
        "    cores: {value: 6, unit: cores, source: {kind: measured, run: r, host: h, date: d, n: 1}}\n"
        "  blade:\n"
        "    cores: {value: 6, unit: cores, low: 1, high: 9, source: {kind: assumed, why: x}}\n"
    )
    result = explain("laptop.cores", "--profile", str(path))
    assert "value         6 cores" in result.stdout
    assert "source        measured" in result.stdout
    assert f"warning: {path}:6: blade.cores stays as it is" in result.stderr


def test_a_bad_profile_is_reported_with_place_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("schema: vsim.profile/1\nmachines:\n  laptop:\n    coers: 6\n")
    assert run(cli, ["explain", "--profile", str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}:4:5: error: unknown key 'coers'",
        "  4 |     coers: 6",
        "    |     ^",
        "hint: did you mean 'cores'?",
    ]


def comparison() -> Comparison:
    def swing(parameter: str, size: float | None, architecture: str = "vm@laptop", metric: str = "hosts") -> Swing:
        return Swing(parameter, "assumed", metric, architecture, 0, 1, 10, 10 + (size or 1) * 10, 10, size)

    return Comparison(
        seed=1,
        replications=2,
        scenario={"title": "A comparison"},
        profile={"name": "builtin + mine"},
        architectures=(),
        parameters=(
            Parameter("laptop.cores", 6, 6, 6, "cores", "measured", "measured: run r on h, d, n = 1"),
            Parameter("process.memory.unit_bytes", 1e6, 3e5, 3e6, "bytes", "assumed", "assumed: Kernel stacks"),
        ),
        sensitivity=Sensitivity(
            "screening",
            ("hosts", "energy_wh", "provision_s", "cost_per_month"),
            1,
            5,
            4,
            (
                swing("a.small", 0.02),
                swing("a.large", 0.5),
                swing("a.large", 0.1, "container@laptop"),
                swing("a.middle", 0.25),
                swing("a.tiny", 0.001),
                swing("a.other", 0.03),
                swing("a.new", None, metric="energy_wh"),
                swing("a.huge", 99, metric="provision_s"),
            ),
        ),
    )


@pytest.mark.parametrize("name", ["result", "result/result.json"])
def test_a_result_is_told_by_kind_of_source_and_by_what_moves_it(name: str, tmp_path: Path) -> None:
    write_result(comparison(), tmp_path / "result")
    told = text(str(tmp_path / name))
    lines = [line.split() for line in told.splitlines()]
    assert lines[0] == ["A", "comparison"]
    assert "profile       builtin + mine" in told
    assert "parameters    2: 1 measured, 0 published, 0 derived, 1 assumed" in told
    assert "4 of 5 uncertain parameters" in told
    swings = [line for line in lines if line and line[-1] in ("vm@laptop)", "container@laptop)")]
    assert [(" ".join(line[:-3]), line[-3]) for line in swings] == [
        ("50%", "a.large"),
        ("25%", "a.middle"),
        ("3%", "a.other"),
        ("from 0", "a.new"),
        ("× 100", "a.huge"),
    ]
    assert "–  nothing moves it" in told  # the cost
    assert told.index("measured (1)") < told.index("laptop.cores") < told.index("assumed (1)")
    assert "    Kernel stacks" in told
    assert max(map(len, told.splitlines())) <= 80


def test_a_result_as_json_keeps_the_forms_of_the_file(tmp_path: Path) -> None:
    write_result(comparison(), tmp_path / "result")
    content = json.loads(text(str(tmp_path / "result"), "--format", "json"))
    assert [p["name"] for p in content["parameters"]["measured"]] == ["laptop.cores"]
    assert content["sensitivity"]["tried"] == 4


def test_a_result_has_its_own_profile(tmp_path: Path) -> None:
    write_result(comparison(), tmp_path / "result")
    result = explain(str(tmp_path / "result"), "--profile", "mine.yaml")
    assert result.exit_code == 2
    assert "leave out --profile" in result.output


def test_a_folder_without_a_result_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    assert "result" in refused(str(tmp_path)).message
    (tmp_path / "other.json").write_text("[1, 2")
    assert "not JSON" in refused(str(tmp_path / "other.json")).message
    (tmp_path / "other.json").write_text("{}")
    assert "not a result" in refused(str(tmp_path / "other.json")).message


def test_a_parameter_wins_over_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_result(comparison(), tmp_path / "laptop")
    write_result(comparison(), tmp_path / "mine")
    assert text("laptop").startswith("laptop: ")
    assert text("./laptop").startswith("A comparison")
    assert text("mine").startswith("A comparison")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0, "s", "0 s"),
        (0, "1", "0"),
        (0.0012, "s", "1.2 ms"),
        (7 * 86400, "s", "7 d"),
        (84 * 86400, "s", "12 weeks"),
        (96 * 2**30, "bytes", "96 GiB"),
        (1.5e8, "bytes", "150 MB"),
        (1.25e8, "bytes/s", "125 MB/s"),
        (3.2e-10, "core-s/byte", "0.32 core-s/GB"),
        (84044, "1/s", "84,044 1/s"),
        (0.5, "1", "0.5"),
        (1e-9, "1", "1e-09"),
        (5.5, "MIPS", "5.5 MIPS"),
    ],
)
def test_values_are_shown_in_units_that_fit(value: float, unit: str, expected: str) -> None:
    assert shown(value, unit) == expected


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (8e7, 3e8, "bytes", "80 to 300 MB"),
        (3.0, 3.0, "s", "exactly"),
        (0.001, 60.0, "s", "1 ms to 1 min"),
        (0.0, 0.33, "1", "0 to 0.33"),
        (0.002, 0.5, "cores", "0.002 to 0.5 cores"),
    ],
)
def test_intervals_share_a_unit_where_they_can(low: float, high: float, unit: str, expected: str) -> None:
    assert ranged(low, high, unit) == expected


def test_numbers_have_four_digits() -> None:
    assert [number(x) for x in (0.0, 1234.56, 12.0, 0.123456, 301182.0, 1e8)] == [
        "0",
        "1,235",
        "12",
        "0.1235",
        "301,182",
        "1e+08",
    ]
