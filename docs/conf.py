"""How Sphinx builds the documentation: MyST Markdown, the furo theme, warnings are errors (see the Makefile)."""

from importlib.metadata import version as _version

project = "vsim"
author = "The vsim developers"
copyright = "The vsim developers"  # noqa: A001  # the name that Sphinx reads
version = release = _version("vsim")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = False

html_theme = "furo"
html_title = "vsim"
# No font, script or counter from elsewhere is loaded; formulas are the one exception, and they read well as text.
html_static_path: list[str] = []
autodoc_typehints = "description"
