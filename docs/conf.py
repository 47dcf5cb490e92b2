"""How Sphinx builds the documentation: MyST Markdown, the furo theme, warnings are errors (see the Makefile)."""

from importlib.metadata import version as _version

project = "vsim"
author = "The vsim developers"
copyright = "The vsim developers"  # noqa: A001  # the name that Sphinx reads
version = release = _version("vsim")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = False

html_theme = "furo"
html_title = "vsim"
# Nothing is loaded from elsewhere, no font, script or counter: formulas are text.
html_static_path: list[str] = []
# Pygments has no lexer for CSV.
suppress_warnings = ["misc.highlighting_failure"]
autodoc_typehints = "description"
