"""The pages with measured tables are those of the committed samples, and what they say of them is so."""

from __future__ import annotations

import pytest

from benchmarks import ladder, weights

CLOSE = {"docker", "docker-crun", "docker-arm64", "podman", "gvisor"}


@pytest.mark.parametrize("module", [ladder, weights])
def test_the_page_is_made_from_the_samples(module: object) -> None:
    name = module.__name__  # type: ignore[attr-defined]
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), f"run: python -m {name}"  # type: ignore[attr-defined]


def test_runs_on_one_host_agree() -> None:
    """What takes more than 25 ms is within 10 % in each pair of runs; of no rung do they differ but by chance."""
    rungs = ladder.ladder("alone")
    assert len(rungs) == 15
    fast = {rung.driver for rung in rungs if rung.typical < 0.025}
    assert len(fast) == 6
    for differ in ladder.agreement(rungs).values():
        assert len(differ) <= 3
        assert set(differ) <= fast
    pairs = [rung.startup[a - 1].within(rung.startup[b - 1]) for rung in rungs for a, b in ladder.agreement(rungs)]
    # of 95 % intervals, not many more than one in twenty pairs lies apart
    assert sum(pairs) / len(pairs) > 0.9


def test_the_order_of_the_rungs_is_the_same_in_all_runs() -> None:
    rungs = ladder.ladder("alone")
    orders = [
        [rung.driver for rung in sorted(rungs, key=lambda rung: rung.startup[run].value) if rung.driver not in CLOSE]
        for run in range(4)
    ]
    assert orders[1:] == orders[:1] * 3
    # the others are among themselves in every run
    for run in range(4):
        order = [rung.driver for rung in sorted(rungs, key=lambda rung: rung.startup[run].value)]
        assert set(order[7:12]) == CLOSE


def test_what_memory_a_rung_costs() -> None:
    idle = {weight.driver: weight for weight in weights.weights(0)}
    touched = {weight.driver: weight for weight in weights.weights(1)}
    assert {weight.count for weight in idle.values()} == {40, 8}
    for name, weight in idle.items():
        host = weight.by["memory_host_bytes"]
        assert host.low <= host.value <= host.high
        if name != "qemu-tcg":  # its guest has memory to spare that it holds already
            more = touched[name].by["memory_host_bytes"].value - host.value
            assert more == pytest.approx(8 * 2**20, rel=0.08)
    docker = idle["docker"].by
    assert docker["memory_helpers_bytes"].value > 100 * docker["memory_pss_bytes"].value
    assert touched["gvisor"].by["memory_pss_bytes"].value < 8 * 2**20
