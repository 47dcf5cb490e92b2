"""A scenario as JSON's own types, and the digest that tells two apart."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from tests.experiment.fakes import toy_scenario
from vsim.errors import InputError
from vsim.experiment.describe import describe, digest, recall
from vsim.scenario import load_scenario, presets
from vsim.scenario.scenario import Scenario


@dataclasses.dataclass(frozen=True)
class Thing:
    name: str
    sizes: tuple[float, ...]


def test_dataclasses_mappings_sequences_and_sets_become_jsons_own_types():
    described = describe({"thing": Thing("a", (1.0, 2.0)), 3: None, "set": frozenset({"b", "a"}), "yes": True})
    assert described == {"thing": {"name": "a", "sizes": [1.0, 2.0]}, "3": None, "set": ["a", "b"], "yes": True}


def test_numpys_numbers_and_arrays_become_plain_ones():
    described = describe({"n": np.int64(3), "x": np.float64(0.5), "xs": np.array([1.0, 2.0])})
    assert described == {"n": 3, "x": 0.5, "xs": [1.0, 2.0]}
    assert json.loads(json.dumps(described)) == described


def test_a_long_sequence_is_its_length_and_a_digest_of_its_content():
    numbers = list(range(33))
    by_hand = hashlib.sha256(("[" + ",".join(map(str, numbers)) + "]").encode()).hexdigest()
    assert describe(numbers) == {"count": 33, "sha256": by_hand}
    assert describe(np.array(numbers)) == describe(numbers)
    assert describe(numbers[:32]) == numbers[:32]
    assert describe([*numbers[:-1], 99])["sha256"] != by_hand


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"b": 1, "a": [1, 2]}) == digest({"a": [1, 2], "b": 1})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})
    # sha256 of the canonical text, as `printf '{"a":1}' | sha256sum` prints it
    assert digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_a_digest_of_what_json_lacks_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        digest({"a": float("nan")})


def test_a_scenario_survives_json():
    described = describe(toy_scenario())
    assert json.loads(json.dumps(described)) == described
    assert described["workload"]["services"][0]["name"] == "web"
    assert described["run"]["replications"] == 3


@pytest.mark.parametrize("name", [name for name in presets() if name != "consolidation"])
def test_a_description_is_recalled(name: str) -> None:
    scenario = load_scenario(name)
    assert recall(Scenario, json.loads(json.dumps(describe(scenario)))) == scenario


def test_what_has_only_a_digest_is_not_recalled() -> None:
    scenario = load_scenario("consolidation")
    with pytest.raises(InputError, match="only the digest of 60 values") as caught:
        recall(Scenario, describe(scenario))
    assert caught.value.hint == "give the scenario in place of the result"


def test_what_is_no_description_is_refused() -> None:
    for wrong in ({}, {"name": "x"}, [], {**describe(load_scenario("evolution")), "workload": 3}):
        with pytest.raises(InputError, match="not the description of a scenario"):
            recall(Scenario, wrong)
