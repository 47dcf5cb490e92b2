"""A small study with all that a page can show, and a browser to open pages in."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vsim
from tests.conftest import lacking
from vsim.calibration import builtin
from vsim.experiment.runner import Runner
from vsim.report.page import Study, build, study
from vsim.scenario import load_scenario

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Eight instances: a machine each on bare metal, one machine for all in guests and in containers.
SMALL = """\
schema: vsim.scenario/1
title: A small shop
architectures: [bare-metal@tower-server, bare-metal@blade, vm@rack-server, container@rack-server]
services:
  web:
    replicas: 6
    image: 120 MB
    memory: 1 GiB
    shareable: 30 %
    cpu: 0.1 cores
    startup: {cpu: 300 ms, read: 20 MB}
    request: {user: 20 ms, system_calls: 4 ms, send: 20 kB}
    arrivals: {kind: poisson, rate: 6/s}
    slo: 300 ms
    needs: 5
  database:
    replicas: 2
    image: 400 MB
    memory: 2 GiB
    startup: {cpu: 1.5 s, read: 300 MB}
    needs: 1
fleet: {isolation: namespace}
start: {hosts_up: shared}
run: {duration: 1 s, warmup: 0, replications: 3}
"""


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small(small_file: Path) -> Study:
    with Runner(jobs=1) as runner:
        return study(
            load_scenario(small_file),
            builtin(),
            runner,
            command=["vsim", "simulate", str(small_file)],
            version=vsim.__version__,
        )


@pytest.fixture(scope="session")
def small_page(small: Study, small_file: Path) -> Path:
    path = small_file.with_name("small.html")
    path.write_text(build(small), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("playwright (pip install 'vsim[dev]')")
    program = shutil.which("chromium")
    if program is None:
        lacking("Chromium (Debian: chromium)")
    # a sandbox of its own is refused to root
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file in a fresh context: the page may say nothing on its console and ask for nothing but itself."""
    complaints: list[str] = []
    asked: list[str] = []
    contexts: list[Any] = []

    def open_page(path: Path, at: str = "", *, size: tuple[int, int] = (1280, 720), **options: Any) -> Page:
        options = {"viewport": {"width": size[0], "height": size[1]}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}") or dialog.dismiss())
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{path.as_uri()}{at}")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith("file:") or not url.partition("#")[0].endswith(".html")] == []


@contextmanager
def changed(page: Page, selector: str) -> Iterator[None]:
    """Checks that the text at `selector` is another one afterwards."""
    before = page.locator(selector).inner_text()
    yield
    assert page.locator(selector).inner_text() != before


@pytest.fixture(scope="session")
def default_page(small_file: Path) -> Path:
    """The page of the default scenario with a shorter window and two replications, which changes nothing else."""
    scenario = load_scenario("evolution")
    scenario = dataclasses.replace(
        scenario,
        run=dataclasses.replace(scenario.run, duration_s=1.0, warmup_s=0.0, replications=2),
        reliability=dataclasses.replace(scenario.reliability, years=0.2),
    )
    path = small_file.with_name("default.html")
    with Runner() as runner:
        path.write_text(build(study(scenario, builtin(), runner)), encoding="utf-8")
    return path


# Names as a hostile file could have them: markup, quotes, line breaks, right-to-left text and its controls, length.
HOSTILE = [
    "</title><script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 2'>",
    "\"'`;window.pwned=3//</script><script>window.pwned=4</script>",
    "שלום \u202eevil\u202c عالم",
    "two\nlines; touch /tmp/pwned\n\u2028and\u2029more",
    "x" * 200,
    "]]><!--{{ 7 * 7 }}-->&lt;b&gt;",
]


@pytest.fixture(scope="session")
def hostile(small_file: Path) -> tuple[Path, list[str]]:
    """A page of a scenario in which all is called badly, and the names: the title first, then the services."""
    scenario = load_scenario(small_file)
    web = dataclasses.replace(scenario.workload.services[0], replicas=1, needs=1, arrivals=None, request=None)
    services = tuple(dataclasses.replace(web, name=name) for name in HOSTILE[1:])
    bad = dataclasses.replace(
        scenario,
        title=HOSTILE[0],
        name=HOSTILE[1],
        architectures=("container@blade",),
        workload=dataclasses.replace(scenario.workload, services=services),
        run=dataclasses.replace(scenario.run, replications=1),
    )
    path = small_file.with_name("hostile.html")
    with Runner(jobs=1) as runner:
        path.write_text(
            build(study(bad, builtin(), runner, command=["vsim", "simulate", HOSTILE[4]])), encoding="utf-8"
        )
    return path, HOSTILE
