# Copyright (c) mic_mm authors. All rights reserved.
"""Settings of Sphinx; ``bash docs/build.sh`` builds the site."""
import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE / '_ext'))

from mic_mm.version import __version__  # noqa: E402

project = 'mic_mm'
author = 'mic_mm authors'
copyright = 'mic_mm authors'
version = release = __version__

extensions = [
    'myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.viewcode',
    'sphinx_copybutton', 'repository_pages', 'type_links'
]
# Formulas as MathML need nothing from elsewhere; MathJax is loaded by the browser.
html_math_renderer = 'mathjax'
if importlib.util.find_spec('latex2mathml') is not None:
    extensions.append('mathml')
    html_math_renderer = 'mathml'

# -- Markdown
myst_enable_extensions = ['colon_fence', 'dollarmath']
myst_heading_anchors = 3

# -- Docstrings: types are written in them, which keeps the signatures short
autodoc_typehints = 'none'
autodoc_member_order = 'bysource'
autodoc_default_options = {'show-inheritance': True}
napoleon_numpy_docstring = False
# As a list of the class; autodoc describes the same names by itself.
napoleon_use_ivar = True
viewcode_line_numbers = True

# -- Pages
exclude_patterns = ['_build', '_ext']
html_theme = 'furo'
html_title = f'mic_mm {release}'
html_static_path = ['_static']
html_css_files = ['mic_mm.css']
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {'navigation_with_keys': True}
copybutton_exclude = '.linenos, .gp, .go'
