"""Where requests enter an application, what they call, and what they are taken to demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.calibration import builtin
from vsim.calibration.catalogue import load_compose, quantities_of, with_catalogue
from vsim.errors import InputError
from vsim.experiment.offering import entry, offered
from vsim.scenario.calls import rates_per_s
from vsim.scenario.scenario import Scenario

FILE = """\
services:
  cache: {image: redis, ports: ["6379:6379"]}
  proxy: {image: nginx, ports: ["80:80"], depends_on: [one, two]}
  one: {build: ./web, depends_on: [cache, db]}
  two: {build: ./web, depends_on: [cache]}
  db: {image: "postgres:16", volumes: ["data:/var/lib/postgresql/data"]}
volumes: {data: }
"""


def read(folder: Path, text: str = FILE) -> Scenario:
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    return load_compose(folder / "compose.yaml")


def test_requests_enter_at_the_port_with_most_behind_it(tmp_path: Path) -> None:
    # cache publishes a port and is depended on; proxy publishes one and isn't
    assert entry(read(tmp_path)) == "proxy"


def test_each_request_calls_what_is_depended_on(tmp_path: Path) -> None:
    scenario = offered(read(tmp_path), builtin(), 100.0, {})
    services = {service.name: service for service in scenario.workload.services}
    assert {name: one.calls for name, one in services.items() if one.calls} == {
        "proxy": ("one", "two"),
        "one": ("cache", "db"),
        "two": ("cache",),
    }
    # cache is asked by both
    assert rates_per_s(scenario) == {"cache": 200, "proxy": 100, "one": 100, "two": 100, "db": 100}
    assert [name for name, one in services.items() if one.arrivals is not None] == ["proxy"]
    # what the dependencies say is used then
    assert not any("depends_on" in note for note in scenario.notes)
    assert any("depends_on (proxy, one, two)" in note for note in read(tmp_path).notes)


def test_what_a_request_demands_is_a_parameter(tmp_path: Path) -> None:
    profile = builtin()
    scenario = offered(read(tmp_path), profile, 100.0, {})
    asked = {one.service: one.quantity for one in scenario.catalogued if one.field == "request.user_core_s"}
    assert asked == {
        "proxy": "nginx.request_core_s",
        "one": "application.request_core_s",
        "two": "application.request_core_s",
        "cache": "redis.request_core_s",
        "db": "postgres.request_core_s",
    }
    assert "nginx.request_core_s" in quantities_of(scenario)
    slower = with_catalogue(scenario, profile.with_value("nginx.request_core_s", 0.5))
    (proxy,) = (one for one in slower.workload.services if one.name == "proxy")
    assert proxy.request is not None
    assert proxy.request.user_core_s == 0.5


def test_the_published_figures_are_those_of_their_sources() -> None:
    quantities = builtin().quantities
    # 74,091 requests per second on one CPU; 33,125 to 145,551 by the size of the answer
    nginx = quantities["nginx.request_core_s"]
    assert nginx.value == pytest.approx(1 / 74_091, rel=0.05)
    assert nginx.low == pytest.approx(1 / 145_551, rel=0.05)
    assert nginx.high > 1 / 33_125
    redis = quantities["redis.request_core_s"]
    assert 1 / 114_294 < redis.value < 1 / 81_235


def test_what_is_stated_is_taken(tmp_path: Path) -> None:
    text = """\
services:
  web:
    image: nginx
    depends_on: [api, db]
    x-vsim: {request: {user: 7 ms}, arrivals: {rate: 10/s, kind: bursty}}
  api: {image: node, x-vsim: {request: {user: 1 ms}, arrivals: {rate: 30/s}}}
  db: {image: mongo}
"""
    scenario = offered(read(tmp_path, text), builtin(), 400.0, {})
    web, api, db = scenario.workload.services
    # scaled by the same factor, as bursty as before
    assert (web.arrivals.rate_per_s, web.arrivals.kind, api.arrivals.rate_per_s) == (100, "bursty", 300)
    assert web.request.user_core_s == 0.007
    # what has arrivals of its own isn't called
    assert (web.calls, api.calls) == (("db",), ())
    assert rates_per_s(scenario) == {"web": 100, "api": 300, "db": 100}
    named = offered(read(tmp_path, text), builtin(), None, {"api": 5.0})
    assert rates_per_s(named)["api"] == 5
    assert db.request is not None


def test_a_request_without_arrivals_is_for_those_who_call(tmp_path: Path) -> None:
    text = """\
services:
  web: {image: nginx, depends_on: [api], x-vsim: {request: {user: 1 ms}, arrivals: {rate: 10/s}}}
  api: {image: node, depends_on: [db], x-vsim: {request: {user: 2 ms}}}
  db: {image: mongo}
  lost: {image: node, x-vsim: {request: {user: 2 ms}}}
"""
    scenario = read(tmp_path, text)
    assert rates_per_s(scenario) == {"web": 10, "api": 10, "db": 0, "lost": 0}
    assert "web: each request calls api" in scenario.notes
    assert any(note.startswith("lost: nobody asks it anything") for note in scenario.notes)


def test_what_keeps_data(tmp_path: Path) -> None:
    text = """\
services:
  a: {image: "bitnami/postgresql:16"}
  b: {build: ., volumes: ["data:/data"]}
  c: {build: ., volumes: ["/node_modules", "./src:/src"]}
  d: {image: nginx}
volumes: {data: }
"""
    # by what the image is, by a volume with a name; not by an anonymous volume or a folder of the host
    assert read(tmp_path, text).stateful == {"a", "b"}


@pytest.mark.parametrize(("rates", "message"), [({"wbe": 1.0}, "no service 'wbe'"), ({}, None)])
def test_refused(tmp_path: Path, rates: dict, message: str | None) -> None:
    if message is None:
        assert offered(read(tmp_path), builtin(), None, rates) == read(tmp_path)
        return
    with pytest.raises(InputError, match=message):
        offered(read(tmp_path), builtin(), None, rates)
