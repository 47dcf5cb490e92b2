"""A lecture as a zip: slides as remark Markdown, for reveal.js and as PowerPoint, with notes, figures and numbers.

Built from a source that a lecturer can copy and change (:mod:`~vsim.report.lecture.source`; ``reports/evolution/`` is
the one that comes with vsim) and from results. The same source and results make the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsim.errors import HostError, InputError
from vsim.report.inputs import Document, Inputs, Measured, Simulated, read_inputs
from vsim.report.lecture.deck import Deck, make
from vsim.report.lecture.expressions import Context, check, command_of
from vsim.report.lecture.markdown import to_remark
from vsim.report.lecture.repacked import packed
from vsim.report.lecture.source import Source
from vsim.report.plain import plain

if TYPE_CHECKING:
    from vsim.experiment.runner import Progress

__all__ = ["Lecture", "build", "builtin_source", "read"]


@dataclass(frozen=True, slots=True)
class Lecture:
    """A lecture that was built: the archive's bytes, the slides, and what was left out of it and why."""

    archive: bytes
    deck: Deck
    left_out: tuple[str, ...]


def builtin_source() -> Path:
    """Return the folder of the lecture that comes with vsim: in a wheel beside this file, else in the checkout."""
    here = Path(__file__).parent / "evolution"
    return here if here.is_dir() else Path(__file__).parents[3] / "reports" / "evolution"


def read(
    source: Source, paths: Sequence[str | Path] = (), *, profile: Sequence[str | Path] = (), seed: int | None = None
) -> Context:
    """Return the source with its results: those in `paths` take the places of its own, in order; the rest is simulated.

    Samples and documents may be among `paths`; they go to figures and statements that need them. `profile` and `seed`
    go with what is simulated. Raises InputError for what is wrong in the source, for more results than the lecture has,
    and as :func:`vsim.simulate`.
    """
    check(source)
    given: list[Simulated] = []
    measured: list[Measured] = []
    documents: list[Document] = []
    for path in paths:
        one = read_inputs([path], profile=profile, seed=seed)
        given += one.simulated
        measured += one.measured
        documents += one.documents
    if len(given) > len(source.results):
        raise InputError(
            f"there are {len(given)} results for a lecture that speaks of {len(source.results)}",
            hint=f"they stand for {', '.join(source.results) or 'none'}, in this order",
        )
    simulated = dict(zip(source.results, given, strict=False))
    for name, scenario in source.results.items():
        if name not in simulated:
            simulated[name] = read_inputs([scenario], profile=profile, seed=seed).simulated[0]
    return Context(source, simulated, Inputs(tuple(simulated.values()), tuple(measured), tuple(documents)))


def build(context: Context, *, sliders: bool = True, progress: Progress | None = None) -> Lecture:
    """Return the lecture. Raises InputError, with line and column, for what is wrong in its source.

    With `sliders`, what is around the first result is simulated for the page; `progress` is told how far that is.
    """
    from vsim.report.lecture.web import asset, to_remark_html, to_reveal_html

    deck = make(context)
    if not deck.slides:
        raise InputError("the results suffice for none of the slides", hint=deck.left_out[0])
    left_out = list(deck.left_out)
    files: dict[str, bytes] = {
        "slides.html": to_reveal_html(deck).encode(),
        "slides.md": to_remark(deck, lambda d: f"figures/{d.name}.{d.shown}").encode(),
        "slides-remark.html": to_remark_html(deck).encode(),
    }
    try:
        from vsim.report.lecture.powerpoint import to_pptx

        files["slides.pptx"] = to_pptx(deck)
    except HostError as error:
        left_out.append(f"slides.pptx: {error.message} ({error.hint})")
    try:
        files["page.html"] = _page(context, sliders, progress)
    except InputError as error:
        left_out.append(f"page.html: {error.message}")
    for drawing in deck.drawings:
        files |= {f"figures/{drawing.name}.{form}": data for form, data in drawing.files.items()}
    for name, one in context.results.items():
        files[f"results/{name}/result.json"] = one.result.to_json().encode()
    files["source/slides.md"] = context.source.text.encode()
    files |= {f"licences/{name}.txt": asset(f"{name}.LICENSE").encode() for name in ("reveal.js", "remark")}
    files = {"README.txt": _readme(context, deck, files).encode(), **files}
    return Lecture(packed({f"lecture/{name}": data for name, data in files.items()}), deck, tuple(left_out))


def _page(context: Context, sliders: bool, progress: Progress | None) -> bytes:
    """Return the page of the lecture's first result. Raises InputError when it can't be made from the result alone."""
    from vsim.experiment.runner import Runner
    from vsim.report.page import build as build_page
    from vsim.report.page import study_around, study_of

    first = next(iter(context.results.values()), None)
    if first is None:
        raise InputError("the lecture has no result")
    if first.lacking:
        raise InputError(first.lacking)
    options = [word for file in first.profile_files for word in ("--profile", file.path)]
    if not sliders:
        return build_page(study_of(first.result, first.profile, options=options)).encode()
    with Runner(progress=progress) as runner:
        return build_page(study_around(first.result, first.profile, runner, options=options)).encode()


_WHAT = {
    "slides.html": "the slides, for a browser; no network is needed. S: notes",
    "slides-remark.html": "the same for remark. P: notes",
    "slides.md": "the same as remark Markdown",
    "slides.pptx": "the same for PowerPoint or LibreOffice; charts can be edited",
    "page.html": "the comparison to play with, for a browser",
}


def _readme(context: Context, deck: Deck, files: dict[str, bytes]) -> str:
    lines = [plain(deck.title), ""]
    lines += [f"{name:<20}{what}" for name, what in _WHAT.items() if name in files]
    lines += [
        f"{'figures/':<20}the pictures and their numbers",
        f"{'results/':<20}what everything was made from",
        f"{'source/slides.md':<20}what to change: vsim lecture --source source/slides.md",
        f"{'licences/':<20}of the presenters in the HTML files",
        "",
        "The numbers come from",
        *(f"  {name}: {plain(command_of(one))}" for name, one in context.results.items()),
    ]
    return "\n".join(lines) + "\n"
