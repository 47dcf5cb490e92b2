"""Recorded demands: the two formats, their variants, and lines that can't be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsim.errors import InputError
from vsim.scenario import load_scenario
from vsim.scenario.table import MAX_BYTES
from vsim.scenario.traces import TraceDefaults, read_traces

DEFAULTS = TraceDefaults(cores=2, memory_bytes=2.0**30, interval_s=300.0)

# The header and the first lines of a file of the archive (fastStorage), with a second core for the arithmetic.
HEADER = (
    "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t"
    "Memory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\t"
    "Disk write throughput [KB/s];\tNetwork received throughput [KB/s];\tNetwork transmitted throughput [KB/s]\n"
)
ROWS = [
    "1376314846;\t2;\t5200.0;\t52.0;\t1.0;\t2097152.0;\t1048576.0;\t0.0;\t1.5;\t0.0;\t0.0\n",
    "1376315146;\t2;\t5200.0;\t2600.0;\t50.0;\t2097152.0;\t524288.0;\t0.0;\t1.3;\t0.0;\t0.0\n",
    "1376315446;\t2;\t5200.0;\t5200.0;\t100.0;\t2097152.0;\t524288.0;\t0.0;\t1.3;\t0.0;\t0.0\n",
]
BITBRAINS = HEADER + "".join(ROWS)


def write(tmp_path: Path, text: str | bytes, name: str = "trace.csv") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, core_speed: float = 1.0):  # type: ignore[no-untyped-def]
    (series,) = read_traces(path, "auto", DEFAULTS, core_speed)
    return series


def test_bitbrains(tmp_path: Path) -> None:
    series = read(write(tmp_path, BITBRAINS))
    assert series.name == "trace.csv"
    assert series.interval_s == 300
    assert list(series.cpu_cores) == [0.02, 1.0, 2.0]  # percent of two cores
    assert list(series.memory_bytes) == [2.0**30, 2.0**29, 2.0**29]  # KB of 1024 bytes
    assert series.provisioned_cores == 2
    assert series.provisioned_bytes == 2.0**31


@pytest.mark.parametrize(
    "text",
    [
        BITBRAINS.replace(";\t", ";"),
        BITBRAINS.replace(";\t", ","),
        BITBRAINS.replace(";\t", ", "),
        BITBRAINS.replace("\n", "\r\n"),
        "\ufeff" + BITBRAINS,
        BITBRAINS.upper(),
        "# fastStorage\n\n" + BITBRAINS + "\n",
        "".join(ROWS),  # no header
        BITBRAINS.replace(" [ms]", "").replace(" [KB]", ""),
        BITBRAINS.replace("CPU usage [%]", "something else"),  # then from MHz
        BITBRAINS.replace("13763148", "13763148").replace("46;\t2;", "46000;\t2;"),  # milliseconds, as the header says
        HEADER.replace("Memory usage [KB]", "Memory usage [MB]")
        + "".join(ROWS).replace("1048576.0", "1024").replace("524288.0", "512"),
    ],
)
def test_variants_of_bitbrains_say_the_same(tmp_path: Path, text: str) -> None:
    series = read(write(tmp_path, text))
    assert list(series.cpu_cores) == [0.02, 1.0, 2.0]
    assert list(series.memory_bytes) == [2.0**30, 2.0**29, 2.0**29]
    assert series.interval_s == 300


def test_a_file_of_the_archive_as_it_is(reference_data: Path) -> None:
    path = reference_data / "traces" / "bitbrains-one-vm.csv"
    series = read(path)
    # from 1376314846 to 1378906798 s in steps of 300: 8,619 lines and the gaps between them
    assert len(series.cpu_cores) == 8641
    assert series.cpu_cores[0] == pytest.approx(19.06666 / 2599.9993, rel=1e-4)  # MHz used of MHz given
    assert series.memory_bytes[0] == pytest.approx(110448.5333 * 1024)
    assert series.provisioned_bytes == 2.0**31


def test_core_speed_scales_what_was_used_and_given(tmp_path: Path) -> None:
    series = read(write(tmp_path, BITBRAINS), core_speed=0.5)
    assert list(series.cpu_cores) == [0.01, 0.5, 1.0]
    assert series.provisioned_cores == 1


def test_a_gap_is_filled_with_the_line_before_it(tmp_path: Path) -> None:
    later = ROWS[2].replace("1376315446", str(1376315146 + 900))
    last = ROWS[0].replace("1376314846", str(1376315146 + 1200))
    series = read(write(tmp_path, HEADER + ROWS[0] + ROWS[1] + later + last))
    # steps of 300, 900 and 300 s: the median is 300
    assert list(series.cpu_cores) == [0.02, 1.0, 1.0, 1.0, 2.0, 0.02]


def test_one_line_is_one_interval(tmp_path: Path) -> None:
    series = read(write(tmp_path, HEADER + ROWS[0]))
    assert (series.interval_s, list(series.cpu_cores)) == (300, [0.02])


def test_planetlab(tmp_path: Path) -> None:
    series = read(write(tmp_path, "0\n50\n100\n", "75-130-96-12_static_oxfr_ma_charter_com"))
    assert list(series.cpu_cores) == [0.0, 1.0, 2.0]
    assert list(series.memory_bytes) == []
    assert series.provisioned_bytes == 2.0**30
    assert series.interval_s == 300


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path, "1\n", "b")
    write(tmp_path, BITBRAINS, "a.csv")
    write(tmp_path, "2\n", "day/c")
    write(tmp_path, "nonsense", ".hidden")
    assert [series.name for series in read_traces(tmp_path, "auto", DEFAULTS)] == ["a.csv", "b", "day/c"]


# text, message, line, what is under the caret, hint
BAD = [
    ("", "the file is empty", 1, "", "one cpu percentage a line"),
    ("# nothing\n", "the file is empty", 1, "", "one cpu percentage a line"),
    ("1\n2\nx\n", "can't be 'x'", 3, "x", "a number, zero or more"),
    ("1\n-2\n", "can't be '-2'", 2, "-2", "zero or more"),
    ("1\nnan\n", "can't be 'nan'", 2, "nan", "zero or more"),
    ("1\n1e99\n", "at most 100000", 2, "1e99", "at most"),
    ("1\n1_0\n", "can't be '1_0'", 2, "1_0", "a number"),
    ("1\n٣\n", "can't be '٣'", 2, "٣", "a number"),
    ("1\n  2 3\n", "can't be '2 3'", 2, "2 3", "a number"),
    (HEADER, "no rows", 1, "", "separated by `;`"),
    (HEADER.replace("CPU cores", "CPU kores") + ROWS[0], "no column 'cpu cores'", 1, "Time", "cpu cores, memory"),
    (BITBRAINS.replace("\t2;", "\ttwo;", 1), "can't be 'two'", 2, "two;", "a number"),
    (BITBRAINS.replace("50.0;", "-50.0;", 1), "can't be '-50.0'", 3, "-50.0;", "zero or more"),
    (BITBRAINS.replace("524288.0", "inf", 1), "can't be 'inf'", 3, "inf;", "zero or more"),
    (BITBRAINS.replace("524288.0", "", 1), "is missing", 3, "\t;", "a number"),
    (HEADER + ROWS[0] + "1376315146;\t2\n", "the line has 2 of", 3, "", "separated by `;`"),
    (HEADER + ROWS[1] + ROWS[0], "isn't after the one before", 3, "1376314846", "order of time"),
    (HEADER + ROWS[0] + ROWS[0], "isn't after the one before", 3, "1376314846", "order of time"),
    (BITBRAINS.replace("Memory usage [KB]", "Memory usage [pages]"), "'pages' of the memory", 1, "pages]", "KB, MB"),
    (BITBRAINS.replace("1376315446", "9376315446"), "more than 1,000,000 intervals", 4, "9376315446", "gap"),
    (BITBRAINS.replace("CPU usage", "x"), "no column for the CPU usage", 1, "Time", "MHZ"),
]


@pytest.mark.parametrize(("text", "message", "line", "under", "hint"), BAD)
def test_bad_line(tmp_path: Path, text: str, message: str, line: int, under: str, hint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(path)
    error = caught.value
    assert message in error.message
    assert hint in (error.hint or "")
    assert error.place is not None
    assert (error.place.file, error.place.line) == (str(path), line)
    assert error.place.text is not None
    assert error.place.column is not None
    assert error.place.text[error.place.column - 1 :].startswith(under)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no file in this folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="not UTF-8"):
        read(write(tmp_path, b"\xff\xfe1\0"))
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(100 * 1024**2)
    with pytest.raises(InputError, match=f"larger than {MAX_BYTES // 1024**2} MiB"):
        read(huge)


def test_a_link_to_the_folder_itself_is_not_followed_for_ever(tmp_path: Path) -> None:
    write(tmp_path, "1\n", "a")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [series.name for series in read_traces(tmp_path, "auto", DEFAULTS)] == ["a"]


# -- in a scenario -----------------------------------------------------------------------------------------------------


def test_a_trace_takes_the_place_of_the_demands_that_are_stated(tmp_path: Path) -> None:
    scenario = load_scenario("consolidation", trace=write(tmp_path, BITBRAINS))
    (series,) = scenario.workload.demands
    assert series.interval_s == 300
    assert scenario.run.duration_s == 900  # the length of the trace


def test_a_scenario_without_demands_takes_no_trace(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recorded demands") as caught:
        load_scenario("evolution", trace=write(tmp_path, "1\n"))
    assert "consolidation" in (caught.value.hint or "")


def test_a_trace_is_found_next_to_the_scenario(tmp_path: Path) -> None:
    write(tmp_path, "50\n100\n", "traces/one")
    write(
        tmp_path,
        "schema: vsim.scenario/1\narchitectures: [vm@blade]\n"
        "demands: {trace: traces, cores: 4, memory: 2 GiB, interval: 1 min}\n",
        "scenario.yaml",
    )
    scenario = load_scenario(tmp_path / "scenario.yaml")
    (series,) = scenario.workload.demands
    assert list(series.cpu_cores) == [2.0, 4.0]
    assert (series.provisioned_bytes, scenario.run.duration_s, scenario.run.warmup_s) == (2.0**31, 120, 0)


def test_generated_demands_are_as_asked_on_average() -> None:
    demands = load_scenario("consolidation").workload.demands
    assert demands == load_scenario("consolidation").workload.demands
    assert len({series.name for series in demands}) == len(demands) == 60
    for series in demands:
        assert series.provisioned_cores is not None
        assert series.provisioned_bytes is not None
        assert len(series.cpu_cores) == len(series.memory_bytes) == 96
        assert min(series.cpu_cores) >= 0
        assert max(series.cpu_cores) <= series.provisioned_cores
        assert 0 < max(series.memory_bytes) <= series.provisioned_bytes
    means = [np.mean(series.cpu_cores) / (series.provisioned_cores or 1) for series in demands]
    # 8 % with a coefficient of variation of 1 over 60 machines: a standard error of 1 %
    assert 0.05 < np.mean(means) < 0.11
