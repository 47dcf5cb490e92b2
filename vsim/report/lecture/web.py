"""Slides as one HTML file that needs nothing else: reveal.js, or remark, is in it, and so are the pictures.

The files may be opened from a disk, a stick or a mail, without a network. A content security policy forbids the browser
to fetch anything: what a slide might smuggle in couldn't call out.
"""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from vsim.report.lecture.markdown import html, inline_html, to_remark
from vsim.report.plain import as_html

if TYPE_CHECKING:
    from vsim.report.lecture.deck import Deck, Slide
    from vsim.report.lecture.pictures import Drawing

__all__ = ["asset", "to_remark_html", "to_reveal_html"]

_POLICY = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
_PICTURE_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def asset(name: str) -> str:
    """Return a file of the presenters that come with vsim, each under the MIT licence (see `assets/`)."""
    return (files("vsim.report.lecture") / "assets" / name).read_text(encoding="utf-8")


def data_uri(drawing: Drawing) -> str:
    """Return the picture itself as an address."""
    form = drawing.shown
    return f"data:{_PICTURE_TYPES[form]};base64,{base64.b64encode(drawing.files[form]).decode()}"


def to_reveal_html(deck: Deck) -> str:
    """Return the slides for reveal.js: arrows turn pages, S shows the speaker's notes, Escape all slides at once."""
    sections = "\n".join(_section(slide) for slide in deck.slides)
    return _page(
        deck.title,
        "\n".join([asset("reveal.css"), asset("theme.css")]),
        f'<div class="reveal"><div class="slides">\n{sections}\n</div></div>',
        [asset("reveal.js"), asset("reveal-notes.js")],
        # The notes are shown in a window that this one writes; no slide is looked for anywhere else.
        "Reveal.initialize({width:1280,height:720,margin:0,hash:true,center:false,display:'flex',transition:'none',"
        "slideNumber:'c/t',plugins:[RevealNotes]});",
    )


def _section(slide: Slide) -> str:
    picture = slide.picture
    whole = picture is not None and picture.whole
    parts = [f"<h2{' class=hidden' if whole else ''}>{inline_html(slide.title)}</h2>"]
    if picture is not None:
        parts.append(f'<img alt="{as_html(picture.alt)}" src="{data_uri(picture)}">')
    if slide.body:
        parts.append(f"<div class=body>{html(slide.body)}</div>")
    if slide.notes:
        parts.append(f'<aside class="notes">{html(slide.notes)}</aside>')
    classes = f"is-{slide.kind}{' whole' if whole else ''}"
    # reveal.js gives the page this class while the slide is shown: a whole picture has no number on it
    state = ' data-state="whole-shown"' if whole else ""
    return f'<section id="{slide.name}" class="{classes}"{state}>{"".join(parts)}</section>'


def to_remark_html(deck: Deck) -> str:
    """Return the slides for remark: arrows turn pages, P shows the speaker's notes, C opens a second window."""
    source = json.dumps(to_remark(deck, data_uri)).replace("<", "\\u003c")
    return _page(
        deck.title,
        asset("remark.css"),
        "",
        [asset("remark.js")],
        f"remark.create({{ratio:'16:9',highlightLanguage:'no-highlight',source:{source}}});",
    )


def _page(title: str, style: str, body: str, scripts: list[str], start: str) -> str:
    inlined = "\n".join(f"<script>{_closed(script)}</script>" for script in [*scripts, start])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{as_html(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n{inlined}\n</body>\n</html>\n"
    )


def _closed(script: str) -> str:
    """Return a script that nothing in it can end: ``</script`` stands in strings, where the backslash is nothing."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
