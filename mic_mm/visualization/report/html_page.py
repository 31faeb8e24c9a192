# Copyright (c) mic_mm authors. All rights reserved.
"""A web page in one file: styles, pictures and script are inside."""
from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .style import STYLE


def page(title: str, *parts: str, style: str = '', script: str = '') -> str:
    """Put parts that are HTML already into a page.

    The page forbids itself to load anything and to run any script but
    ``script``, so text that came into it by mistake cannot do harm.

    Args:
        title (str): Plain text.
        *parts (str): HTML.
        style (str): Further CSS. Defaults to ''.
        script (str): JavaScript at the end of the page. Defaults to '',
            none.
    """
    code = f'<script>{script}</script>' if script else ''
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'{_policy(script)}'
            '<meta name="viewport" content="width=device-width, '
            f'initial-scale=1"><title>{escape(title)}</title>'
            f'<style>{STYLE}{style}</style></head><body>\n'
            f'<h1>{escape(title)}</h1>\n' + '\n'.join(parts)
            + f'\n{code}</body></html>\n')


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    source = f"'sha256-{digest.decode()}'" if script else "'none'"
    return ('<meta http-equiv="Content-Security-Policy" content="default-src '
            "'none'; img-src data:; style-src 'unsafe-inline'; "
            f'script-src {source}">')


def section(title: str, *parts: str) -> str:
    """A heading with parts that are HTML already."""
    return f'<h2>{escape(title)}</h2>\n' + '\n'.join(parts)


def fold(title: str, *parts: str, is_open: bool = False) -> str:
    """Parts, which are HTML already, that a click shows or hides."""
    state = ' open' if is_open else ''
    return (f'<details{state}><summary>{escape(title)}</summary>\n'
            + '\n'.join(parts) + '</details>')


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


def key(entries: Sequence[tuple[str, str]]) -> str:
    """What colours mean.

    Args:
        entries (Sequence): Name (plain text) and CSS colour of each.
    """
    return '<ul class="key">' + ''.join(
        f'<li><span class="swatch" style="background:{escape(color)}">'
        f'</span>{escape(name)}</li>' for name, color in entries) + '</ul>'


def table(header: Sequence[str],
          rows: Sequence[Sequence[str]],
          css_class: str = '') -> str:
    """A table of plain text; ``css_class='text'`` aligns it to the left."""
    kind = f' class="{css_class}"' if css_class else ''
    return (f'<div class="scroll"><table{kind}><thead>' + _row('th', header)
            + '</thead><tbody>' + ''.join(_row('td', row) for row in rows)
            + '</tbody></table></div>')


def _row(tag: str, cells: Sequence[str]) -> str:
    return '<tr>' + ''.join(f'<{tag}>{escape(c)}</{tag}>'
                            for c in cells) + '</tr>'


def image(path: Path, caption: str) -> str:
    """A PNG file with a caption."""
    return figure(Path(path).read_bytes(), caption)


def figure(png: bytes, caption: str) -> str:
    """The content of a PNG file with a caption."""
    return (f'<figure><img alt="{escape(caption, quote=True)}" '
            f'src="{data_address(png)}">'
            f'<figcaption>{escape(caption)}</figcaption></figure>')


def data_address(picture: bytes, kind: str = 'png') -> str:
    """A picture as the address of an ``img`` element."""
    return (f'data:image/{kind};base64,'
            f'{base64.b64encode(picture).decode()}')
