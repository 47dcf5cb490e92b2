"""Text that somebody else chose (a name, a title), for the places where it is shown: it comes out as text everywhere.

Whatever is no character to be read (controls, line ends, marks that turn the direction of what follows) becomes a
space.
"""

from __future__ import annotations

import html

__all__ = ["as_code", "as_html", "as_markdown", "plain"]


def plain(text: object, most: int | None = None) -> str:
    """Return `text` on one line, of printable characters, cut to `most` of them."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


def as_html(text: object, most: int | None = None) -> str:
    """Return `text` for HTML, in an element or in a quoted attribute."""
    return html.escape(plain(text, most), quote=True)


# What may mean something in Markdown, in HTML within it, or in remark's own extensions of both.
_MEANING = frozenset("\\`*_{}[]()<>#+-.!|&~^=?\"'$:;@%/")


def as_markdown(text: object, most: int | None = None) -> str:
    """Return `text` for Markdown: each character that could mean something is written as a numeric reference.

    A reference is text to every Markdown processor, also where a backslash isn't (in remark's HTML). A point, a hyphen
    or the like within a word means nothing and stays, so that numbers and names can be read in the source.
    """
    line = plain(text, most)
    out = []
    for i, c in enumerate(line):
        after = i > 0 and line[i - 1].isalnum()
        inside = after and i < len(line) - 1 and line[i + 1].isalnum()
        harmless = (c in ".-:@/%'" and inside) or (c in ":;" and after and line[i + 1 : i + 2] in ("", " "))
        out.append(f"&#{ord(c)};" if c in _MEANING and not harmless else c)
    return "".join(out)


def as_code(text: object) -> str:
    """Return `text` for Markdown, set as code where nothing in it could end that or mean something to remark."""
    line = plain(text)
    return as_markdown(line) if not line or any(c in line for c in "`<>{}|\\") else f"`{line}`"
