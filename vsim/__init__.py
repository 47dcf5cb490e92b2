"""vsim: bare metal, blades, virtual machines and containers, simulated, measured and compared.

What the commands do is here for Python, without printing. The functions are loaded when they are first used:
``import vsim`` costs next to nothing.
"""

from typing import TYPE_CHECKING

from vsim.errors import HostError, InputError, ThresholdError, VsimError

if TYPE_CHECKING:
    from vsim.api import (
        calibrate,
        load_compose,
        load_plan,
        load_profile,
        load_scenario,
        simulate,
        simulate_plan,
        size,
        validate,
    )

__all__ = [
    "HostError",
    "InputError",
    "ThresholdError",
    "VsimError",
    "calibrate",
    "load_compose",
    "load_plan",
    "load_profile",
    "load_scenario",
    "simulate",
    "simulate_plan",
    "size",
    "validate",
]
__version__ = "0.1.0"

_IN_API = frozenset(__all__) - {"HostError", "InputError", "ThresholdError", "VsimError"}


def __getattr__(name: str) -> object:
    if name in _IN_API:
        import vsim.api

        return getattr(vsim.api, name)
    raise AttributeError(f"module 'vsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_IN_API})
