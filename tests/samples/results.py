"""A small result with every part that a result can have, written by hand."""

from __future__ import annotations

from vsim.samples.result import (
    ArchitectureResult,
    Difference,
    Estimate,
    Impossible,
    Parameter,
    PrecisionReached,
    Result,
    Sensitivity,
    SweepPoint,
    SweepResult,
    Swing,
)

VM = ArchitectureResult(
    "vm@laptop",
    {
        "hosts": Estimate(3.0, 3.0, 3.0, "1"),
        "startup_p95_s": Estimate(0.1 + 0.2, 0.25, 0.35, "s"),  # a float that needs all its digits
        "cost_per_month": Estimate(12.5, None, None, "EUR/month"),
    },
    {
        "hosts": (3.0, 3.0),
        "startup_p95_s": (0.25, 0.35),
        "cost_per_month": (None, 12.5),
    },
    (10, 12),
)
CONTAINER = ArchitectureResult(
    "container@laptop", {"hosts": Estimate(2.0, 2.0, 2.0, "1")}, {"hosts": (2.0, 2.0)}, (5, 5)
)

RESULT = Result(
    seed=7,
    replications=2,
    scenario={"name": "s", "title": "Größe, „quoted“", "services": [{"name": "web", "replicas": 2}], "sizes": [1, 2]},
    profile={"name": "builtin", "sha256": "0" * 64},
    architectures=(VM, CONTAINER),
    differences=(Difference("hosts", "container@laptop", "vm@laptop", -1.0, -1.0, -1.0, "1"),),
    parameters=(
        Parameter("laptop.cores", 6.0, 6.0, 6.0, "cores", "measured", "run r on h"),
        Parameter("vmm.memory", 1e6, 3e5, 3e6, "bytes", "assumed", 'because, "so"'),
    ),
    sensitivity=Sensitivity(
        "screening",
        ("hosts",),
        1,
        5,
        4,
        (
            Swing("vmm.memory", "assumed", "hosts", "vm@laptop", 3e5, 3e6, 2.0, 5.0, 3.0, 1.0),
            Swing("vmm.cpu", "assumed", "hosts", "container@laptop", 0.0, 1.0, 0.0, 1.0, 0.0, None),
        ),
        (Impossible("vmm.memory", "vm@laptop", 3e9, "bytes"),),
    ),
    precision=PrecisionReached(0.05, ("hosts",), False),
    sweep=SweepResult(
        ("services.web.replicas", "architectures"),
        (
            SweepPoint({"services.web.replicas": 1, "architectures": ["vm@laptop"]}, 2, (VM,)),
            SweepPoint(
                {"services.web.replicas": 2, "architectures": ["vm@laptop", "container@laptop"]}, 2, (VM, CONTAINER)
            ),
        ),
    ),
    version="0.1.0",
)
