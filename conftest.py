"""The documentation's examples are tests: every code block of README.md and docs/ is run as it stands."""

from tests.documented import examples

pytest_collect_file = examples().pytest()
