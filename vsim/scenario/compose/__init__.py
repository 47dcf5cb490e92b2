"""Compose files: read, merged and checked as ``docker compose config`` does it, and turned into a scenario."""

from vsim.scenario.compose.loading import load_project
from vsim.scenario.compose.project import ComposeProject

__all__ = ["ComposeProject", "load_project"]
