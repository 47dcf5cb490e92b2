"""Dockerfiles: read, checked, and turned into the steps of a build."""

from vsim.scenario.dockerfile.assembly import read_dockerfile
from vsim.scenario.dockerfile.context import Context
from vsim.scenario.dockerfile.platforms import NATIVE, Platform
from vsim.scenario.dockerfile.stages import Dockerfile
from vsim.scenario.dockerfile.steps import Costs, build_stages
from vsim.scenario.dockerfile.timings import Timings, read_timings

__all__ = [
    "NATIVE",
    "Context",
    "Costs",
    "Dockerfile",
    "Platform",
    "Timings",
    "build_stages",
    "read_dockerfile",
    "read_timings",
]
