"""From the name of a preset or the path of a file to a scenario."""

from __future__ import annotations

import difflib
from pathlib import Path

from vsim.errors import InputError
from vsim.scenario.building import build
from vsim.scenario.document import Document, read_document
from vsim.scenario.file import ScenarioFile
from vsim.scenario.scenario import Scenario
from vsim.scenario.validation import listed, validate

__all__ = ["PRESETS", "PlanGivenError", "load", "preset_names"]

PRESETS = Path(__file__).parent / "presets"


class PlanGivenError(InputError):
    """What was to be a scenario is a plan: `document`, which has been read."""

    def __init__(self, document: Document) -> None:
        super().__init__(
            "this is a plan of an experiment, not a scenario",
            place=document.place(("schema",)),
            hint="`vsim simulate` and `vsim bench` take it as it is; in Python, vsim.simulate_plan() does",
        )
        self.document = document


def preset_names() -> tuple[str, ...]:
    """Return the names of the presets, in alphabetical order."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def load(source: str | Path, trace: str | Path | None = None) -> Scenario:
    """Return the scenario; see :func:`vsim.scenario.load_scenario`. Raises PlanGivenError for a plan."""
    path = _find(source)
    document = read_document(path)
    if isinstance(document.data, dict) and str(document.data.get("schema")).startswith("vsim.plan/"):
        raise PlanGivenError(document)
    return build(document, validate(document, ScenarioFile), Path(path).stem, Path(path).parent, trace)


def _find(source: str | Path) -> Path:
    """Return the file that `source` means. A preset's name comes first: `./evolution` is the file of that name."""
    names = preset_names()
    if isinstance(source, str) and source in names:
        return PRESETS / f"{source}.yaml"
    path = Path(source)
    if isinstance(source, str) and not path.suffix and path.name == source and not path.exists():
        close = difflib.get_close_matches(source, names, n=1)
        raise InputError(
            f"there is no scenario {source!r}: neither a preset nor a file",
            hint=f"did you mean {close[0]!r}?" if close else f"the presets are {listed(names, 'and')}",
        )
    return path
