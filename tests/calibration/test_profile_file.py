"""A user's profile files on top of the built-in profile: what replaces what, and what can be added."""

from __future__ import annotations

import pytest

from tests.calibration.conftest import Load
from vsim.calibration import Profile, builtin, load_profile
from vsim.errors import InputError


def test_without_files_it_is_the_builtin_profile() -> None:
    assert load_profile().quantities == builtin().quantities


def test_a_measured_value_replaces_an_assumed_one_and_its_source_comes_along(load: Load) -> None:
    profile = load("machines: {rack-server: {memory_bytes: {value: 64, unit: GiB, low: 63, high: 65, MEASURED}}}")
    memory = profile.machines["rack-server"].memory_bytes
    assert (memory.value, memory.low, memory.high, memory.unit) == (64 * 2**30, 63 * 2**30, 65 * 2**30, "bytes")
    assert str(memory.source) == "measured: run r1 on a box, 2026-01-02, n = 30"
    assert profile.warnings == ()
    assert profile.name == "builtin + mine"
    # the built-in profile, which everyone shares, is as it was
    assert builtin().machines["rack-server"].memory_bytes.value == 96 * 2**30


def test_what_derives_from_a_replaced_value_follows(load: Load) -> None:
    profile = load("reference: {seven_zip_mips: {value: 1600, unit: MIPS, MEASURED}}")
    before, after = (p.machines["raspberry-pi-4"].core_speed.value for p in (builtin(), profile))
    assert after == pytest.approx(2 * before)  # half the reference's speed: the Pi is twice as fast in comparison


def test_a_worse_source_does_not_replace_a_better_one(load: Load) -> None:
    profile = load("machines:\n  rack-server:\n    rack_units: {value: 2, unit: U, low: 1, high: 3, ASSUMED}")
    assert profile.quantities == builtin().quantities
    (warning,) = profile.warnings
    assert "mine.yaml:4: rack-server.rack_units stays as it is: its source is published" in warning
    assert "only assumed" in warning
    assert "override: true" in warning


def test_unless_it_says_so(load: Load) -> None:
    profile = load(
        "machines: {rack-server: {rack_units: {value: 2, unit: U, low: 1, high: 3, override: true, ASSUMED}}}"
    )
    assert profile.machines["rack-server"].rack_units.value == 2  # type: ignore[union-attr]
    assert profile.warnings == ()


def test_of_two_files_with_sources_of_the_same_kind_the_later_counts(load: Load) -> None:
    text = "machines: {{laptop: {{cores: {{value: {}, unit: cores, low: 1, high: 32, ASSUMED}}}}}}"
    profile = load(text.format(6), text.format(12))
    assert profile.machines["laptop"].cores.value == 12
    assert profile.name == "builtin + mine + mine1"


def test_a_later_worse_file_does_not_undo_an_earlier_measurement(load: Load) -> None:
    measured = "machines: {laptop: {cores: {value: 6, unit: cores, MEASURED}}}"
    assumed = "machines: {laptop: {cores: {value: 12, unit: cores, low: 1, high: 32, ASSUMED}}}"
    profile = load(measured, assumed)
    assert profile.machines["laptop"].cores.value == 6
    assert len(profile.warnings) == 1


PODMAN = """
layers:
  podman:
    like: container-engine
    title: Podman (no daemon)
    startup:
      daemon: null
    failure: null
    memory:
      environment_bytes: {value: 5, unit: MB, low: 1, high: 20, ASSUMED}
stacks:
  rootless:
    title: Rootless containers
    layers: [host-os, podman, process]
machines:
  mini-pc:
    like: laptop
    title: Mini PC
    cores: {value: 6, unit: cores, MEASURED}
"""


def test_a_layer_a_stack_and_a_machine_are_added_without_code(load: Load) -> None:
    profile = load(PODMAN)
    assert set(profile.stacks) == {*builtin().stacks, "rootless"}
    rootless, container = (profile.architecture(f"{stack}@mini-pc") for stack in ("rootless", "container"))
    # what the new layer doesn't state is the engine's
    assert rootless.instance_memory_bytes == container.instance_memory_bytes
    assert rootless.unit_stages[-1] == container.unit_stages[-1]
    inherited = "container-engine.memory.unit_bytes"
    assert profile.quantities["podman.memory.unit_bytes"].source == builtin().quantities[inherited].source
    # what it states is its own, though its source is of a worse kind: it's another thing
    assert profile.quantities["podman.memory.environment_bytes"].value == 5e6
    assert rootless.machine.cores.value == 6
    assert rootless.machine.power_w == profile.quantities["mini-pc.power_w"]
    # what it takes out is gone
    assert [of.stage.name for of in rootless.host_stages] == ["power-on", "boot"]
    assert [failure.layer for failure in rootless.failures] == ["host-os"]
    assert not any(name.startswith(("podman.startup.daemon", "podman.failure")) for name in profile.quantities)
    assert {"rootless@blade", "vm@mini-pc"} <= set(profile.architectures())


def test_a_layer_may_be_stated_from_scratch(load: Load) -> None:
    profile = load(
        """
        layers:
          jail:
            title: Jail
            boundary: namespace
            startup:
              create: {cpu_core_s: {value: 20, unit: ms, low: 5, high: 50, ASSUMED}}
              lock: {section: jails, wait_s: {value: 1, unit: ms, low: 0, high: 2, ASSUMED}}
            offers: [host-network]
        stacks:
          jail: {title: Jail, layers: [host-os, jail, process]}
        """
    )
    jail = profile.architecture("jail@rack-server")
    assert [(of.layer, of.stage.name, of.stage.section) for of in jail.unit_stages[:2]] == [
        ("jail", "create", None),
        ("jail", "lock", "jails"),
    ]
    assert jail.capabilities == {"host-network"}
    assert jail.boundary == "namespace"


def test_figures_and_citations_of_the_file_are_used(load: Load) -> None:
    profile = load(
        """
        citations: {mine-2026: "Mine, 'A study', 2026"}
        figures:
          mine_boot: {value: [3, 5], unit: s, citation: mine-2026, place: Table 1, conditions: cold}
        reference:
          boot_s:
            unit: s
            low: "mine_boot[0]"
            high: "value * 2"
            source: {kind: derived, rule: "(mine_boot[0] + mine_boot[1]) / 2"}
          first: {unit: s, source: {kind: published, figure: "mine_boot[0]"}}
        """
    )
    boot, first = profile.quantities["reference.boot_s"], profile.quantities["reference.first"]
    assert (boot.value, boot.low, boot.high) == (4, 3, 8)
    assert boot.source.inputs == ("mine_boot",)
    assert str(first.source) == "published: Mine, 'A study', 2026, Table 1, cold"


def test_a_value_can_be_moved_and_what_derives_from_it_follows() -> None:
    moved = builtin().with_value("reference.container_start_cpu_share", 1.0)
    create, start = (moved.layers["container-engine"].startup[i] for i in (1, 3))
    total = moved.quantities["reference.container_start_s"].value
    assert create.cpu_core_s is not None
    assert create.cpu_core_s.value == pytest.approx(total / 2)
    assert start.wait_s is not None
    assert start.wait_s.value == 0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rack-server.coers", 3, "there is no parameter"),
        ("rack-server.cores", float("nan"), "finite number"),
        ("rack-server.cores", -1, "finite number"),
        ("rack-server.cores", 0, "can't be zero"),
        ("process.memory.sharing", 1.5, "at most 1"),
        ("reference.seven_zip_mips", 0, "can't be computed"),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: float, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        builtin().with_value(name, value)


def test_an_architecture_that_makes_no_sense_says_why_and_what_would() -> None:
    with pytest.raises(InputError) as caught:
        builtin().architecture("microvm@tower-server")
    assert "tower-server doesn't offer nested-paging, which the layer vmm" in caught.value.message
    assert caught.value.hint is not None
    assert "microvm fits rack-server, blade" in caught.value.hint
    assert "on tower-server there can be bare-metal, vm, container" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("container", "not an architecture", "STACK@MACHINE"),
        ("contaner@laptop", "no stack 'contaner'", "did you mean 'container'?"),
        ("container@raspberry-pi-3", "no machine 'raspberry-pi-3'", "did you mean 'raspberry-pi-"),
        ("@", "no stack ''", "the profile has"),
    ],
)
def test_an_unknown_architecture_is_refused_with_a_hint(name: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        builtin().architecture(name)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_users_of_a_parameter_are_known() -> None:
    users: Profile = builtin()
    assert users.users["process.memory.unit_bytes"] == tuple(users.stacks)
    assert "raspberry-pi-4.core_speed" in users.users["reference.seven_zip_mips"]
    assert users.users["site.pue"] == ("site",)
