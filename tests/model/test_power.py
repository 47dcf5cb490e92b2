"""Power, cost and rack space in closed form, by cases worked out by hand."""

from __future__ import annotations

import pytest

from tests.engine.toys import q, toy_chassis, toy_machine
from vsim.model.machine import Price, Site
from vsim.model.power import PowerCurve, cost_per_month, monthly, rack_units

SITE = Site(pue=q(1.5), energy_price_per_kwh=q(0.2), rack_unit_price_per_month=q(10))


@pytest.mark.parametrize(
    ("load", "watts"),
    [(-1, 100), (0, 100), (0.25, 120), (0.5, 140), (0.75, 170), (1, 200), (1.5, 200)],
)
def test_power_is_linear_between_the_points(load: float, watts: float) -> None:
    assert PowerCurve((100, 140, 200))(load) == pytest.approx(watts)


def test_a_curve_needs_two_points() -> None:
    with pytest.raises(ValueError, match="at no load and at full load"):
        PowerCurve((100,))


def test_a_price_is_written_off_linearly() -> None:
    assert monthly(Price(purchase=q(6000), lifetime_years=q(5))) == 100


def test_a_month_costs_hardware_space_and_energy() -> None:
    # 2 machines of 1200 over a year: 200; 3 U at 10: 30; 1 kW × PUE 1.5 × 730 h × 0.2: 219
    cost = cost_per_month(toy_machine(), SITE, hosts=2, chassis_count=0, rack_units=3, mean_power_w=1000)
    assert cost == pytest.approx(200 + 30 + 219)


def test_blades_share_the_price_of_their_enclosures() -> None:
    chassis = toy_chassis(slots=2)
    blade = toy_machine(chassis=chassis, rack_units=None)
    assert rack_units(blade, 5) == (30, 3)  # three enclosures of 10 U for five blades, two in each
    assert rack_units(toy_machine(), 5) == (5, 0)
