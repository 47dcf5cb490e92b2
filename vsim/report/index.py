"""The page that a folder of figures is looked at with: README.md, each figure with its finding, words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsim.errors import HostError
from vsim.report.plain import as_markdown

if TYPE_CHECKING:
    from vsim.report.rendering import Rendered

__all__ = ["index", "write"]


def write(figures: Sequence[Rendered], folder: str | Path) -> None:
    """Write the page to README.md in `folder`. Raises HostError when it can't be written."""
    path = Path(folder) / "README.md"
    try:
        path.write_text(index(figures, "Figures"), encoding="utf-8")
    except OSError as error:
        raise HostError(f"can't write {path}: {error.strerror or error}", hint="name another folder") from None


def index(figures: Sequence[Rendered], title: str) -> str:
    """Return a page in Markdown with `figures`; of those drawn in several formats the first one is shown."""
    parts = [f"# {as_markdown(title)}"]
    for one in figures:
        picture = next((path.name for form, path in one.files.items() if form not in ("csv", "txt", "pdf")), None)
        parts.append(f"## {as_markdown(one.title)}")
        if picture is not None:
            parts.append(f"![{as_markdown(one.alt)}]({picture})")
        parts.append(f"{as_markdown(one.caption)} *{as_markdown(one.footer)}* [Numbers]({one.name}.csv)")
    return "\n\n".join(parts) + "\n"
