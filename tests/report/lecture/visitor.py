"""Opens a file of slides in Chromium and turns its pages: prints, as JSON, what was to be seen and what was asked for.

A program of its own: Playwright's loop and that of another test don't meet.

    python -m tests.report.lecture.visitor FILE
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

# What is on the slide that is shown: its words, and whether each picture was loaded and lies within the slide.
_SEEN = """() => {
  const slide = document.querySelector('.reveal section.present, .remark-visible .remark-slide-content');
  const frame = slide.getBoundingClientRect();
  const inside = element => {
    const box = element.getBoundingClientRect();
    return box.bottom <= frame.bottom + 1 && box.right <= frame.right + 1 && box.left >= frame.left - 1;
  };
  const text = [...slide.querySelectorAll('h1, h2, li, td')].filter(one => !one.closest('.hidden, aside'));
  return {
    title: slide.querySelector('h1, h2').innerText,
    text: slide.innerText,
    pictures: [...slide.querySelectorAll('img')].map(one => [one.naturalWidth, inside(one), one.alt]),
    above: [...document.querySelectorAll('.controls, .slide-number, .remark-visible .remark-slide-number')].filter(
      one => slide.matches('.whole') && one.getClientRects().length
    ).map(one => one.className),
    outside: text.filter(one => !inside(one)).map(one => one.innerText),
    small: text.filter(one => parseFloat(getComputedStyle(one).fontSize) < 20).map(one => one.innerText),
  };
}"""


def visit(path: Path) -> dict[str, Any]:
    """Return what each slide shows, what the page said on its console, and which addresses it asked for."""
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    asked: list[str] = []
    slides = []
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}") or dialog.dismiss())
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector(".reveal.ready section.present, .remark-visible")
        seen: Any = None
        while True:
            before, seen = seen, page.evaluate(_SEEN)
            if seen == before:
                break
            slides.append(seen)
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(60)
        browser.close()
    return {"slides": slides, "said": said, "asked": [url for url in asked if not url.startswith("data:")]}


if __name__ == "__main__":
    print(json.dumps(visit(Path(sys.argv[1]))))  # noqa: T201  # its output is its result
