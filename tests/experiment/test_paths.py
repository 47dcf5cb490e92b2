"""One value deep inside a scenario is replaced by its path; what leads nowhere or doesn't fit is refused."""

from __future__ import annotations

import dataclasses

import pytest

from tests.experiment.fakes import toy_scenario
from vsim.errors import InputError
from vsim.experiment.paths import did_you_mean, has_path, replace_path
from vsim.model.workload import Arrivals, Request
from vsim.scenario.scenario import Incident


def full_scenario():
    scenario = toy_scenario()
    web, db = scenario.workload.services
    web = dataclasses.replace(web, request=Request(user_core_s=0.01), arrivals=Arrivals("poisson", 5.0))
    workload = dataclasses.replace(scenario.workload, services=(web, db))
    return dataclasses.replace(scenario, workload=workload, incidents=(Incident("machine", 1.0), Incident("psu", 2.0)))


@pytest.mark.parametrize(
    ("path", "value", "read", "expected"),
    [
        ("run.duration_s", 7, lambda s: s.run.duration_s, 7.0),
        ("services.web.replicas", 9, lambda s: s.workload.services[0].replicas, 9),
        ("services.web.replicas", 9.0, lambda s: s.workload.services[0].replicas, 9),
        ("services.db.main.replicas", 4, lambda s: s.workload.services[1].replicas, 4),  # a name with a dot
        ("workload.services.web.memory_bytes", 5, lambda s: s.workload.services[0].memory_bytes, 5.0),
        ("services.web.request.user_core_s", 0.5, lambda s: s.workload.services[0].request.user_core_s, 0.5),
        ("services.web.image.bytes", 12, lambda s: s.workload.services[0].image.bytes, 12.0),
        ("incidents.1.at_s", 3, lambda s: s.incidents[1].at_s, 3.0),  # things without a name by number
        ("run.precision.metrics", ["hosts"], lambda s: s.run.precision.metrics, ("hosts",)),
        ("fleet.hosts", None, lambda s: s.fleet.hosts, None),
        ("fleet.hosts", 3, lambda s: s.fleet.hosts, 3),
        ("fleet.placement", "spread", lambda s: s.fleet.placement, "spread"),
        ("architectures", ["a@b", "c@d"], lambda s: s.architectures, ("a@b", "c@d")),
        ("architectures", "a@b", lambda s: s.architectures, ("a@b",)),  # one name is a list of one
    ],
)
def test_a_value_is_set_in_the_declared_type(path, value, read, expected):
    before = full_scenario()
    after = replace_path(before, path, value)
    assert read(after) == expected
    assert type(read(after)) is type(expected)
    # nothing else changed: putting the old value back gives the old scenario
    assert replace_path(after, path, read(before)) == before == full_scenario()


@pytest.mark.parametrize(
    ("path", "value", "message", "hint"),
    [
        ("run.durations", 1, "there is no 'durations'", "did you mean 'duration_s'?"),
        ("service.web.replicas", 1, "there is no 'service'", "did you mean 'services'?"),
        ("services.wbe.replicas", 1, "there is no 'wbe'", "did you mean 'web'?"),
        ("services.web.replica", 1, "there is no 'replica'", "did you mean 'replicas'?"),
        ("services.web", 1, "names no field of 'web'", "replicas"),
        ("run.seed.low", 1, "'seed' is 1 and has no fields", None),
        ("fleet.hosts.low", 1, "'hosts' is not set and has no fields", None),
        ("run", 1, "is a group, not a value", "duration_s, warmup_s"),
        ("run.precision", 1, "is a group, not a value", "relative"),
        ("services.web.replicas", 2.5, "whole number, not 2.5", None),
        ("services.web.replicas", "2", "is a number, not '2'", None),
        ("services.web.replicas", True, "is a number, not True", None),
        ("services.web.memory_bytes", -1, "zero or more", None),
        ("run.duration_s", float("nan"), "finite", None),
        ("run.duration_s", float("inf"), "finite", None),
        ("fleet.placement", "first", "can't be 'first'", "did you mean 'first-fit'?"),
        ("title", 3, "can't be 3", None),
        ("incidents.2.at_s", 3, "there is no '2'", None),
    ],
)
def test_what_leads_nowhere_or_does_not_fit_is_refused(path, value, message, hint):
    with pytest.raises(InputError) as caught:
        replace_path(full_scenario(), path, value)
    assert message in caught.value.message
    assert path in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_a_path_belongs_to_the_scenario_by_its_first_part():
    scenario = full_scenario()
    assert has_path(scenario, "run.nonsense")
    assert has_path(scenario, "services.web.replicas")
    assert not has_path(scenario, "guest-os.memory.unit_bytes")
    assert not has_path(scenario, "")


def test_a_hint_names_the_closest_or_lists_the_few():
    assert did_you_mean("placment", ["placement", "hosts"]) == "did you mean 'placement'?"
    assert did_you_mean("zzz", ["placement", "hosts"]) == "known are: placement, hosts"
    assert did_you_mean("zzz", map(str, range(21))) is None
    assert did_you_mean("zzz", []) is None
