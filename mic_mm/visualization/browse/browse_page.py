# Copyright (c) mic_mm authors. All rights reserved.
"""Samples as a web page in one file, with a filter."""
from __future__ import annotations

import io
import os.path as osp
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
    folder = _common_folder(samples)
    if folder not in ('', '/'):
        notes = [*notes, f'Files are below {folder}']
    colors = [(name, 'rgb({},{},{})'.format(*color))
              for name, color in legend]
    parts = [
        *(report.paragraph(text, 'note') for text in notes),
        *(report.paragraph(text, 'warning') for text in warnings),
        _controls(kinds, len(samples)),
        report.key(colors),
        *(_row(sample, folder) for sample in samples),
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


def _common_folder(samples: Sequence[Sample]) -> str:
    """The folder that all files are in or below, ending in '/', or ''."""
    folders = {
        osp.dirname(tile.words[0])
        for sample in samples for tile in sample.tiles.values()
        if tile.words and tile.words[0]
    }
    try:
        return osp.join(osp.commonpath(folders), '')
    except ValueError:  # No file, or absolute paths beside relative ones.
        return ''


def _row(sample: Sample, folder: str) -> str:
    text = ' · '.join(sample.contents)
    files = ''.join(
        report.paragraph(content.removeprefix(folder), 'note words')
        for content in sample.contents)
    width = max(tile.picture.width for tile in sample.tiles.values())
    figures = ''.join(
        _figure(kind, tile) for kind, tile in sample.tiles.items())
    return (f'<section class="sample" '
            f'data-text="{escape(text.lower(), quote=True)}">'
            f'<h3>{escape(sample.name)}</h3>{files}'
            f'<div class="tiles" style="--tile: {width}px">{figures}</div>'
            '</section>')


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
