"""Slides as remark Markdown, and Markdown as HTML for the other forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from vsim.report.plain import as_markdown

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from vsim.report.lecture.deck import Deck, Slide
    from vsim.report.lecture.pictures import Drawing

__all__ = ["html", "inline_html", "to_remark", "tokens"]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # No HTML: what stands between < and > in a slide is text.
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def tokens(text: str) -> list[Token]:
    """Return the blocks of a text in Markdown."""
    return _parser().parse(text)


def html(text: str) -> str:
    """Return a text in Markdown as HTML; HTML in it comes out as text."""
    rendered: str = _parser().render(text)
    return rendered


def inline_html(text: str) -> str:
    """Return a title in Markdown as HTML without a paragraph around it."""
    rendered: str = _parser().renderInline(text)
    return rendered


def to_remark(deck: Deck, link: Callable[[Drawing], str]) -> str:
    """Return the slides as remark reads them; `link` says where a picture is."""
    return "\n\n---\n\n".join(_slide(slide, link) for slide in deck.slides) + "\n"


def _slide(slide: Slide, link: Callable[[Drawing], str]) -> str:
    picture = slide.picture
    classes = [f"is-{slide.kind}", *(["whole"] if picture is not None and picture.whole else [])]
    parts = [f"name: {slide.name}\nclass: {', '.join(classes)}", f"# {slide.title}"]
    if picture is not None:
        # The only image of the slide: `whole` ones fill it.
        parts.append(f"![{as_markdown(picture.alt)}]({link(picture)})")
    if slide.body:
        parts.append(slide.body)
    text = "\n\n".join(parts)
    return f"{text}\n\n???\n\n{slide.notes}" if slide.notes else text
