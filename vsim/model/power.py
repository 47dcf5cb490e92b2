"""Power and cost in closed form."""

from __future__ import annotations

from collections.abc import Sequence

from vsim.model.machine import Chassis, Machine, Price, Site

__all__ = ["MONTHS_PER_YEAR", "PowerCurve", "cost_per_month", "monthly", "rack_units"]

MONTHS_PER_YEAR = 12
HOURS_PER_MONTH = 8760 / MONTHS_PER_YEAR
WATTS_PER_KILOWATT = 1000


class PowerCurve:
    """Power at the wall in watts as a function of load, piecewise linear between equally spaced points.

    The points are at load 0, 1/n, …, 1; SPECpower_ssj2008 states eleven (active idle to 100 %).
    """

    __slots__ = ("_points", "_steps")

    def __init__(self, points: Sequence[float]) -> None:
        if len(points) < 2:
            raise ValueError("a power curve needs at least the points at no load and at full load")
        self._points = tuple(points)
        self._steps = len(points) - 1

    def __call__(self, load: float) -> float:
        """Return the power in watts at `load`; beyond 0 and 1 the ends count."""
        points, steps = self._points, self._steps
        position = load * steps
        if position <= 0:
            return points[0]
        if position >= steps:
            return points[steps]
        index = int(position)
        return points[index] + (points[index + 1] - points[index]) * (position - index)


def monthly(price: Price) -> float:
    """Return the price of a thing per month of its life, without interest."""
    return price.purchase.value / (price.lifetime_years.value * MONTHS_PER_YEAR)


def cost_per_month(
    machine: Machine, site: Site, *, hosts: int, chassis_count: int, rack_units: float, mean_power_w: float
) -> float:
    """Return what the fleet costs per month: hardware written off linearly, rack space, and energy at the meter.

    `mean_power_w` is the mean power of all hosts and chassis at the wall; the site's PUE comes on top.
    """
    hardware = hosts * monthly(machine.price)
    if machine.chassis is not None:
        hardware += chassis_count * monthly(machine.chassis.price)
    space = rack_units * site.rack_unit_price_per_month.value
    energy_kwh = mean_power_w * site.pue.value * HOURS_PER_MONTH / WATTS_PER_KILOWATT
    return hardware + space + energy_kwh * site.energy_price_per_kwh.value


def rack_units(machine: Machine, hosts: int) -> tuple[float, int]:
    """Return the rack units that `hosts` machines take, and the number of chassis among them."""
    chassis: Chassis | None = machine.chassis
    if chassis is None:
        return hosts * (machine.rack_units.value if machine.rack_units else 0.0), 0
    slots = round(chassis.slots.value)
    count = -(-hosts // slots)
    return count * chassis.rack_units.value, count
