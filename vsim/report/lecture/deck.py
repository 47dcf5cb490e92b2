"""From the source to slides: expressions replaced, pictures drawn, notes with what each number rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsim.report.inputs import Simulated
from vsim.report.lecture.expressions import Context, command_of, resolve
from vsim.report.lecture.pictures import Drawing, draw
from vsim.report.lecture.problems import NotThereError
from vsim.report.lecture.source import SlideSource
from vsim.report.plain import as_code, as_markdown
from vsim.samples.human import format_span
from vsim.samples.metrics import METRICS
from vsim.samples.result import KINDS, Swing

__all__ = ["Deck", "Slide", "make"]

# The words of an expression that name a result or a metric.
_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide. `title`, `body` and `notes` are Markdown in which nothing that came from data has a meaning."""

    name: str
    kind: str
    title: str
    body: str
    picture: Drawing | None
    notes: str


@dataclass(frozen=True, slots=True)
class Deck:
    """A lecture, ready to be written. `left_out` says of each slide that isn't there why."""

    title: str
    slides: tuple[Slide, ...]
    left_out: tuple[str, ...]

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """The pictures, each once."""
        return tuple({s.picture.name: s.picture for s in self.slides if s.picture is not None}.values())


def make(context: Context) -> Deck:
    """Return the slides that the results suffice for.

    Raises InputError, with line and column, for what is wrong in the source.
    """
    source = context.source
    made: dict[str, Slide] = {}
    why: dict[str, str] = {}
    for written in source.slides:
        try:
            made[written.name] = _slide(context, written)
        except NotThereError as error:
            why[written.name] = str(error)
    for written in source.slides:
        if written.answer in why and written.name in made:
            del made[written.name]
            why[written.name] = f"its answer, the slide {written.answer}, is left out"
    slides = tuple(made[written.name] for written in source.slides if written.name in made)
    return Deck(source.title, slides, tuple(f"{name}: {reason}" for name, reason in why.items()))


def _slide(context: Context, written: SlideSource) -> Slide:
    title = resolve(context, [written.title])
    picture = draw(context, written.picture) if written.picture else None
    body = resolve(context, written.body).strip()
    own = resolve(context, written.notes).strip()
    added = "\n".join(f"- {line}" for line in _receipt(context, written, picture))
    notes = "\n\n".join(part for part in (own, added) if part)
    return Slide(written.name, written.kind, title, body, picture, notes)


def _receipt(context: Context, written: SlideSource, picture: Drawing | None) -> Iterator[str]:
    """Yield what the notes say about the numbers: the command, how often, of which kind, and what they hang on."""
    if picture is not None:
        file = as_code(f"figures/{picture.name}.csv")
        yield f"Behind the picture: {as_code(picture.command)}; its numbers are in {file}."
        if picture.caption:
            yield as_markdown(picture.caption)
    texts = [line.text for line in (written.title, *written.body, *written.notes)]
    if written.picture is not None and written.picture.kind == "chart":
        texts.append(f"{{{{ {written.picture.name.replace('/', ' ')} }}}}")
    words = [word for text in texts for part in re.findall(r"\{\{(.*?)\}\}", text) for word in _WORD.findall(part)]
    metrics = [word for word in dict.fromkeys(words) if word in METRICS]
    for name in dict.fromkeys(word for word in words if word in context.results):
        one = context.results[name]
        yield f"Behind the numbers: {as_code(command_of(one))}."
        yield from _basis(one, metrics)


def _basis(one: Simulated, metrics: Sequence[str]) -> Iterator[str]:
    result = one.result
    counts = ", ".join(f"{sum(p.kind == kind for p in result.parameters)} {kind}" for kind in KINDS)
    often = "One replication, so there are no intervals" if result.replications == 1 else ""
    often = often or f"{result.replications} replications, intervals of 95 %"
    profile = as_markdown(result.profile.get("name", ""))
    yield f"{often}; seed {result.seed}, profile {profile}; {len(result.parameters)} parameters: {counts}."
    if one.changed:
        yield f"{len(one.changed)} of these parameters differ from the built-in profile."
    for metric in metrics:
        swing = result.sensitivity.most(metric) if result.sensitivity else None
        if swing is not None:
            yield f"What {METRICS[metric].title} hangs on most: {_swing(one, metric, swing)}."


def _swing(one: Simulated, metric: str, swing: Swing) -> str:
    ends = sorted((swing.at_low, swing.at_high, swing.value))
    unit = next(a.metrics[metric].unit for a in one.result.architectures if a.name == swing.architecture)
    span = format_span(metric, ends[0], ends[-1], unit)
    return as_markdown(f"{swing.parameter} ({swing.kind}) moves it from {span} ({swing.architecture})")
