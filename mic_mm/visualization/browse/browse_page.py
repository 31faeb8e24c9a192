# Copyright (c) mic_mm authors. All rights reserved.
"""Samples as a web page in one file, with a filter."""
from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

from .. import report
from ..legend import Legend
from ..tiles import Tile
from .filter_script import FILTER_SCRIPT, FILTER_STYLE
from .samples import Sample, kinds_of


def browse_page(title: str,
                samples: Sequence[Sample],
                legend: Legend,
                notes: Sequence[str] = (),
                warnings: Sequence[str] = ()) -> str:
    """A page that shows samples, and hides what is not asked for.

    Kinds of tiles can be switched off, and samples be found by a word in
    their files or classes.  The state is in the address
    (``page.html#text=car&hide=weight``), so it can be kept as a bookmark.
    Without JavaScript everything is shown.

    Args:
        title (str): Plain text.
        samples (Sequence[Sample]): The samples.
        legend (list): Name and colour of the classes.
        notes (Sequence[str]): What the pictures are, plain text.
        warnings (Sequence[str]): What has to be known to read them rightly.
    """
    kinds = kinds_of(samples)
    colors = [(name, 'rgb({},{},{})'.format(*color))
              for name, color in legend]
    parts = [
        *(report.paragraph(text, 'note') for text in notes),
        *(report.paragraph(text, 'warning') for text in warnings),
        _controls(kinds, len(samples)),
        report.key(colors),
        *(_row(sample) for sample in samples),
    ]
    return report.page(
        title, *parts, style=FILTER_STYLE, script=FILTER_SCRIPT)


def _controls(kinds: Sequence[str], count: int) -> str:
    boxes = ''.join(
        f'<label><input type="checkbox" name="kind" checked '
        f'value="{escape(kind, quote=True)}">{escape(kind)}</label>'
        for kind in kinds)
    return ('<form id="filter" hidden><input type="search" id="text" '
            'placeholder="file or class" aria-label="file or class">'
            f'<span class="kinds">{boxes}</span>'
            f'<output id="count">{count} of {count}</output></form>')


def _row(sample: Sample) -> str:
    text = ' · '.join(sample.contents)
    figures = ''.join(
        _figure(kind, tile) for kind, tile in sample.tiles.items())
    return (f'<section class="sample" '
            f'data-text="{escape(text.lower(), quote=True)}">'
            f'<h3>{escape(sample.name)}</h3>'
            f'<p class="note words">{escape(text)}</p>'
            f'<div class="tiles">{figures}</div></section>')


def _figure(kind: str, tile: Tile) -> str:
    return (f'<figure data-kind="{escape(kind, quote=True)}">'
            f'<figcaption>{escape(kind)}</figcaption>'
            f'<img alt="{escape(kind, quote=True)}" '
            f'src="{_address(tile)}" width="{tile.picture.width}" '
            f'height="{tile.picture.height}">'
            f'<figcaption>{escape(tile.caption)}</figcaption></figure>')


def _address(tile: Tile) -> str:
    png = io.BytesIO()
    tile.picture.save(png, 'PNG', optimize=True)
    return report.data_address(png.getvalue())
