# Copyright (c) mic_mm authors. All rights reserved.
"""Formulas as MathML, which browsers show without a script."""
from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def inline(self, node: nodes.math) -> None:
    """Write a formula within the text."""
    self.body.append(_convert(node.astext(), 'inline'))
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    """Write a formula with a line of its own."""
    latex = node.astext()
    if '&' in latex:
        latex = rf'\begin{{align*}}{latex}\end{{align*}}'
    self.body.append(self.starttag(node, 'div', CLASS='math'))
    self.body.append(_convert(latex, 'block'))
    self.body.append('</div>\n')
    raise nodes.SkipNode


def _convert(latex: str, display: str) -> str:
    # The converter knows \argmax, but not its parts.
    return convert(latex.strip().replace(r'\arg', r'\operatorname{arg}'), display=display)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_html_math_renderer('mathml', (inline, None), (block, None))
    return {'parallel_read_safe': True}
