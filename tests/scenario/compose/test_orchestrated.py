"""What a compose file says about bringing its services up: conditions, health checks, stopping."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.calibration.catalogue import load_application, load_compose
from vsim.errors import InputError
from vsim.model.orchestration import HealthCheck, Launch, Prerequisite

FILE = """\
services:
  web:
    image: nginx
    depends_on:
      api: {condition: service_healthy}
      cache: {condition: service_started, required: false}
    stop_grace_period: 1m30s
  api:
    image: node
    depends_on: {migrate: {condition: service_completed_successfully}}
    healthcheck:
      {test: "curl localhost", interval: 2s, timeout: 500ms, retries: 5, start_period: 1m, start_interval: 1s}
    x-vsim: {healthcheck: {cpu: 20 ms, wait: 5 ms}, stop: 2 s}
  migrate: {image: node, depends_on: [db]}
  db: {image: mongo, healthcheck: {disable: true}}
  cache: {image: redis, healthcheck: {test: [NONE]}, profiles: [cache]}
"""


def read(tmp_path: Path, text: str = FILE) -> tuple[dict[str, Launch], tuple[str, ...]]:
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    application = load_application(path)
    return dict(application.launches), application.scenario.notes


def test_what_is_stated(tmp_path: Path) -> None:
    launches, notes = read(tmp_path)
    # cache isn't active, so nobody waits for it; 10 s is Docker's grace period where the file states none
    assert launches == {
        "web": Launch("web", (Prerequisite("api", "service_healthy"),), stop_grace_s=90.0),
        "api": Launch(
            "api",
            (Prerequisite("migrate", "service_completed_successfully"),),
            HealthCheck(2.0, 0.5, 5, start_period_s=60.0, start_interval_s=1.0, cpu_core_s=0.02, wait_s=0.005),
            stop_grace_s=10.0,
            stop_s=2.0,
        ),
        "migrate": Launch("migrate", (Prerequisite("db", "service_started"),), ends=True, stop_grace_s=10.0),
        "db": Launch("db", stop_grace_s=10.0),
    }
    # what is used here isn't listed as not used
    assert not any("not used" in note for note in notes)


def test_a_healthcheck_that_only_the_image_can_have(tmp_path: Path) -> None:
    launches, notes = read(
        tmp_path,
        "services:\n  web: {image: nginx, depends_on: {db: {condition: service_healthy}}}\n  db: {image: mongo}\n",
    )
    assert launches["db"].check == HealthCheck(30.0, 30.0, 3, start_period_s=0.0, start_interval_s=5.0)
    told = "db: web waits until it is healthy, and the file states no healthcheck"
    assert any(note.startswith(told) for note in notes)


def test_simulate_takes_the_annotations_for_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(FILE, encoding="utf-8")
    scenario = load_compose(path)
    assert [service.name for service in scenario.workload.services] == ["web", "api", "migrate", "db"]
    assert any("not used by the model: depends_on" in note for note in scenario.notes)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "services:\n  web: {image: nginx, depends_on: {db: {condition: service_healthy}}}\n"
            "  db: {image: mongo, healthcheck: {disable: true}}\n",
            "2:36",
            "'web' waits until 'db' is healthy, whose healthcheck is disabled",
        ),
        ("services:\n  web: {image: nginx, x-vsim: {stop: soon}}\n", "2:38", "'soon' is not a time"),
        ("services:\n  web: {image: nginx, x-vsim: {stop: 3 GB}}\n", "2:38", "'GB' measures a size"),
        (
            "services:\n  web: {image: nginx, healthcheck: {test: x}, x-vsim: {healthcheck: {cpus: 1}}}\n",
            "2:70",
            "unknown key 'cpus' in `healthcheck`",
        ),
        (
            "services:\n  web: {image: nginx, healthcheck: {test: x}, x-vsim: {healthcheck: 1 s}}\n",
            "2:69",
            "`healthcheck` must state cpu and wait, not '1 s'",
        ),
        (
            "services:\n  web: {image: nginx, x-vsim: {stops: 1 s}}\n",
            "2:32",
            "unknown key 'stops' in `x-vsim` of 'web'",
        ),
    ],
)
def test_refused(tmp_path: Path, text: str, place: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).endswith(f"compose.yaml:{place}: {caught.value.message}")
    assert message in caught.value.message
    assert caught.value.hint


def test_an_optional_dependency_may_have_no_healthcheck(tmp_path: Path) -> None:
    launches, _ = read(
        tmp_path,
        "services:\n  web: {image: nginx, depends_on: {db: {condition: service_healthy, required: false}}}\n"
        "  db: {image: mongo, healthcheck: {disable: true}}\n",
    )
    assert launches["web"].after == (Prerequisite("db", "service_healthy", required=False),)
    assert launches["db"].check is None
