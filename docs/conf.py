"""The site that `make docs` builds: Markdown pages, notebooks and docstrings, all of it offline."""

import os
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

import aligntax

lexers["csv"] = TextLexer()  # a table is shown as it is; Pygments has no lexer of its own for it
sys.path.insert(0, str(Path(__file__).parent))

project = "aligntax"
author = "aligntax contributors"
copyright = author
release = version = aligntax.__version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "directives", "equations"]
exclude_patterns = ["_build"]
root_doc = "index"
suppress_warnings = ["ref.citation"]  # those of a model file are of all of it, quoted or not

# The pages are read on their own too, so that links are those of plain Markdown.
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4

# Notebooks run where they write nothing into the checkout, and again only when they have changed.
nb_execution_mode = os.environ.get("ALIGNTAX_NOTEBOOKS", "cache")
nb_execution_cache_path = str(Path(__file__).parent / "_build" / "notebooks")
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
highlight_language = "none"  # of literal blocks in docstrings, which are equations
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = f"aligntax {release}"
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "drawn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"**": ["globaltoc.html"]}  # every page, as there are few
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_center": [],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
