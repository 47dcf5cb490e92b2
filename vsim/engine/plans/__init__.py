"""Plans in simulated time: what :mod:`vsim.bench` does to a real host, done to a model of one.

One module per suite, as on the other side. Both worlds write the same samples: driver, suite, step, block, metric,
unit, concurrency and number of the instance. A rung is a stack of the profile; in a calibrated profile it is named like
the driver that it was measured with.
"""

from vsim.engine.plans.executor import Observer, execute, gathered, perform
from vsim.engine.plans.rung import Rung

__all__ = ["Observer", "Rung", "execute", "gathered", "perform"]
