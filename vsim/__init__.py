"""vsim: bare metal, blades, virtual machines and containers, simulated, measured and compared."""

from vsim.errors import HostError, InputError, ThresholdError, VsimError

__all__ = ["HostError", "InputError", "ThresholdError", "VsimError"]
__version__ = "0.1.0"
