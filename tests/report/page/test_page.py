"""The file: made of a study or a result, the same each time, and with nothing that could be taken for markup."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.command import vsim
from tests.report.page.conftest import HOSTILE
from vsim import __version__ as version
from vsim.calibration import builtin
from vsim.cli import cli
from vsim.cli._boundary import run
from vsim.errors import InputError
from vsim.experiment.runner import Runner
from vsim.report.page import Study, build, study, study_around, study_of
from vsim.report.page.collect import collect
from vsim.report.page.render import in_html
from vsim.report.page.study import command_of, settings
from vsim.samples.result import Result
from vsim.scenario import load_scenario
from vsim.scenario.scenario import Sweep


class Tags(HTMLParser):
    """Keeps the tags, and what is in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[int, str] = {}
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[len(self.tags) - 1] = self.inside.get(len(self.tags) - 1, "") + data


def parsed(page: Path) -> Tags:
    return Tags(page.read_text(encoding="utf-8"))


def test_it_is_the_same_each_time(small: Study, small_page: Path) -> None:
    assert build(small).encode() == small_page.read_bytes()


def test_it_refers_to_nothing_outside(small_page: Path) -> None:
    for tag, attributes in parsed(small_page).tags:
        assert tag not in ("img", "iframe", "object", "embed", "video", "audio", "base")
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith(("#", "data:"))
        assert not any(name.startswith("on") for name in attributes)
        assert "style" not in attributes
    assert "http://" not in small_page.read_text(encoding="utf-8").replace("http://www.w3.org", "")


def test_its_policy_allows_exactly_its_style_and_script(small_page: Path) -> None:
    found = parsed(small_page)
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    digests = []
    for number, text in found.inside.items():
        if found.tags[number][1].get("type") != "application/json":
            digests.append(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())
    assert len(digests) == 2
    assert re.findall(r"'sha256-([^']+)'", policy) == digests


def test_hostile_names_are_no_markup(hostile: tuple[Path, list[str]]) -> None:
    page, _ = hostile
    found = parsed(page)
    assert [tag for tag, _ in found.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in found.tags]
    data = next(text for n, text in found.inside.items() if found.tags[n][1].get("type") == "application/json")
    assert data.isascii()
    assert not set("<>&'") & set(data)
    assert json.loads(data)["services"] == HOSTILE[1:]
    assert json.loads(data)["title"] == HOSTILE[0]


def test_json_in_html() -> None:
    hard = {"</script>": ["<!--", "\u2028\u2029", "a&b", "it's", "\ud800", "é"]}
    text = in_html(hard)
    assert json.loads(text) == hard
    assert text.isascii()
    assert not set("<>&'") & set(text)
    with pytest.raises(ValueError, match="JSON"):
        in_html(float("nan"))


def test_half_a_surrogate_pair_is_no_end_of_it(small: Study) -> None:
    odd = dataclasses.replace(small, scenario=dataclasses.replace(small.scenario, title="a\udc80b"))
    assert "<title>a?b</title>" in build(odd)


def test_a_result_without_a_sweep_is_one_point(small: Study) -> None:
    read = Result.from_dict(json.loads(small.result.to_json()))
    one = study_of(read, builtin())
    assert (one.axes, len(one.points)) == ((), 1)
    data = collect(one)
    assert data["axes"] == []
    # the scenario is that of the result's description: it is placed as before
    assert data["fleets"] == [collect(small)["fleets"][number["f"]] for number in _start(small)]
    assert "<title>A small shop</title>" in build(one)
    # a file does not say where it came from; its name, seed and replications it does
    assert one.command == ("vsim", "simulate", "small.yaml", "--seed", "1", "--replications", "3")


def test_sliders_are_simulated_around_a_result(small: Study) -> None:
    read = Result.from_dict(json.loads(small.result.to_json()))
    # as it would have been read from the scenario, which states no sweep
    read = dataclasses.replace(read, scenario={**read.scenario, "sweep": None})
    with Runner(jobs=1) as runner:
        around = study_around(read, builtin(), runner)
        assert [axis.title for axis in around.axes] == [axis.title for axis in small.axes]
        assert [(point.at, point.architectures) for point in around.points] == [
            (point.at, point.architectures) for point in small.points
        ]
        assert around.result is read
        assert around.points[0].architectures[0].values, "differences can be paired"
        # of a result that this version wouldn't come to, nothing is shown that isn't in it
        first = read.architectures[0]
        hosts = dataclasses.replace(first.metrics["hosts"], value=7.0)
        other = dataclasses.replace(first, metrics={**first.metrics, "hosts": hosts})
        strange = dataclasses.replace(read, architectures=(other, *read.architectures[1:]))
        alone = study_around(strange, builtin(), runner)
    assert (alone.axes, len(alone.points)) == ((), 1)
    assert alone.points[0].architectures[0].metrics["hosts"].value == 7.0


def _start(small: Study) -> list[dict[str, int]]:
    point = next(point for point in collect(small)["points"] if point["at"] == [2, 0, 1])
    return list(point["of"].values())


def test_a_swept_scenario_has_its_own_sliders(small_file: Path) -> None:
    scenario = dataclasses.replace(
        load_scenario(small_file),
        architectures=("vm@rack-server", "container@rack-server"),
        sweep=Sweep({"services.web.replicas": (6, 12), "rack-server.cores": (8.0, 16.0)}),
    )
    with Runner(jobs=1) as runner:
        swept = study(scenario, builtin(), runner)
    assert [axis.title for axis in swept.axes] == ["services.web.replicas", "rack-server.cores"]
    assert [point.at for point in swept.points] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [settings(point.values) for point in swept.points][1:3] == [
        ["--set", "services.web.replicas=6", "--set", "rack-server.cores=16.0"],
        ["--set", "services.web.replicas=12", "--set", "rack-server.cores=8.0"],
    ]
    for point, found in zip(swept.points, swept.result.sweep.points, strict=True):  # type: ignore[union-attr]
        assert point.architectures == found.architectures
        assert dict(point.values) == dict(found.values)
    # a second time from the result alone
    again = study_of(Result.from_dict(json.loads(swept.result.to_json())), builtin())
    assert [point.architectures for point in again.points] == [point.architectures for point in swept.points]


def test_a_preset_that_was_changed_is_not_called_by_its_name() -> None:
    scenario = load_scenario("startup-storm")
    quick = dataclasses.replace(scenario, run=dataclasses.replace(scenario.run, replications=None, seed=7))
    changed = dataclasses.replace(quick, start=dataclasses.replace(quick.start, concurrency=7))
    run = ("--seed", "7", "--replications", "auto")
    assert command_of(quick, ("--profile", "x.yaml")) == (
        *("vsim", "simulate", "startup-storm", "--profile", "x.yaml"),
        *run,
    )
    assert command_of(changed) == ("vsim", "simulate", "startup-storm.yaml", *run)


def test_too_many_points_are_refused(small_file: Path) -> None:
    scenario = dataclasses.replace(
        load_scenario(small_file), sweep=Sweep({"services.web.replicas": tuple(range(5, 506))})
    )
    with Runner(jobs=1) as runner, pytest.raises(InputError, match="501 points") as caught:
        study(scenario, builtin(), runner)
    assert "at most 500 points" in (caught.value.hint or "")


def test_the_command_writes_it(small_file: Path, tmp_path: Path) -> None:
    options = ["--no-sliders", "--replications", "2", "--seed", "5", "--on", "container@blade"]
    done = vsim("page", small_file, *options, "--jobs", 1, "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode().strip() == f"page written to {tmp_path / 'page.html'}"
    assert done.stdout == b""
    scenario = load_scenario(small_file)
    scenario = dataclasses.replace(
        scenario,
        architectures=("container@blade",),
        run=dataclasses.replace(scenario.run, replications=2, seed=5),
    )
    words = ["vsim", "simulate", str(small_file), "--seed", "5", "--replications", "2"]
    with Runner(jobs=1) as runner:
        one = study(scenario, builtin(), runner, sliders=False, command=words, on=True, version=version)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == build(one)
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]


def test_the_command_takes_a_result(small: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from vsim.samples.result_files import write_result

    write_result(small.result, tmp_path / "result")
    target = ["--out", str(tmp_path / "page.html")]
    assert run(cli, ["page", str(tmp_path / "result"), *target]) == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == build(
        study_of(Result.from_dict(json.loads(small.result.to_json())), builtin())
    )
    assert run(cli, ["page", str(tmp_path / "result"), *target, "--seed", "3"]) == 2
    assert "only --profile and --out go with it" in capsys.readouterr().err


def test_a_result_of_another_profile_needs_that(
    small: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(small.result.to_json())
    kind = next(kind for kind, rows in content["parameters"].items() if rows)
    content["parameters"][kind][0]["name"] = "my-host.startup.boot.wait_s"
    file = tmp_path / "result.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    assert run(cli, ["page", str(file), "--out", str(tmp_path / "page.html")]) == 2
    said = capsys.readouterr().err
    assert "the profile at hand lacks my-host.startup.boot.wait_s" in said
    assert "--profile" in said
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "."], "is a directory"),
        (["--out", "no/such/page.html"], "there is no such folder"),
        (["evolutoin", "--out", "page.html"], "did you mean 'evolution'?"),
        (["evolution", "--compose", "c.yaml", "--out", "page.html"], "takes the place"),
        ([], "Missing option '--out'"),
    ],
)
def test_what_the_command_refuses(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(cli, ["page", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # root may write anywhere, so the system is asked in its place
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)
    monkeypatch.setattr("vsim.report.page.study", lambda *_, **__: pytest.fail("simulated"))
    assert run(cli, ["page", "--out", str(tmp_path / "page.html")]) == 3
    assert "its folder allows no new files" in capsys.readouterr().err
