# Copyright (c) mic_mm authors. All rights reserved.
"""A web page in one file: styles and pictures are inside."""
from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = '''
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2026;
  max-width: 1180px; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.4rem;
  border-bottom: 1px solid #d9dde3; padding-bottom: .3rem; }
p { max-width: 60rem; }
.note { color: #5a6270; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem 1.1rem .4rem 0; text-align: right; }
th { font-weight: 600; border-bottom: 2px solid #1c2026; }
td { border-bottom: 1px solid #d9dde3; }
th:first-child, td:first-child { text-align: left; }
.charts { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); }
.chart { width: 100%; max-width: 560px; height: auto; }
.chart text { font: 12px system-ui, sans-serif; fill: #1c2026; }
.chart .title { font-weight: 600; font-size: 13px; }
.chart .axis { fill: #5a6270; }
.chart .grid { stroke: #e6e9ed; }
.curve polyline { fill: none; stroke-width: 2; }
.curve circle { stroke: none; }
.pictures { display: flex; flex-wrap: wrap; gap: 0 2.5rem; }
figure { margin: 1.2rem 0; }
figure img { max-width: 100%; height: auto; }
figcaption { color: #5a6270; }
'''


def page(title: str, *parts: str) -> str:
    """Put parts that are HTML already into a page."""
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, '
            f'initial-scale=1"><title>{escape(title)}</title>'
            f'<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n'
            + '\n'.join(parts) + '\n</body></html>\n')


def section(title: str, *parts: str) -> str:
    """A heading with parts that are HTML already."""
    return f'<h2>{escape(title)}</h2>\n' + '\n'.join(parts)


def paragraph(text: str, css_class: str = '') -> str:
    """A paragraph of plain text."""
    kind = f' class="{css_class}"' if css_class else ''
    return f'<p{kind}>{escape(text)}</p>'


def charts(*svgs: str) -> str:
    """Charts beside each other; empty ones are left out."""
    return '<div class="charts">' + '\n'.join(filter(None, svgs)) + '</div>'


def pictures(*figures: str) -> str:
    """Figures beside each other, as far as there is room."""
    return '<div class="pictures">' + '\n'.join(figures) + '</div>'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain text."""
    return ('<table><thead>' + _row('th', header) + '</thead><tbody>'
            + ''.join(_row('td', row) for row in rows) + '</tbody></table>')


def _row(tag: str, cells: Sequence[str]) -> str:
    return '<tr>' + ''.join(f'<{tag}>{escape(c)}</{tag}>'
                            for c in cells) + '</tr>'


def image(path: Path, caption: str) -> str:
    """A PNG file with a caption."""
    data = base64.b64encode(Path(path).read_bytes()).decode()
    return (f'<figure><img alt="{escape(caption, quote=True)}" '
            f'src="data:image/png;base64,{data}">'
            f'<figcaption>{escape(caption)}</figcaption></figure>')
