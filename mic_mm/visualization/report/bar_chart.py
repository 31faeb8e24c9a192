# Copyright (c) mic_mm authors. All rights reserved.
"""Bars for each class and run as SVG, without JavaScript."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _VALUE, _TOP = 560, 150, 52, 22
_BAR, _SPACE, _GAP = 11, 2, 8
# Letters of a name that fit beside the bars.
_LETTERS = 22


@dataclass(frozen=True)
class Bars:
    """The bars of a run.

    Attributes:
        name (str): What it is, for the tooltip.
        values (Mapping[str, float]): By class; what is missing or not finite
            has no bar.
        color (str): CSS colour.
    """

    name: str
    values: Mapping[str, float]
    color: str


def bar_chart(title: str, runs: Sequence[Bars]) -> str:
    """Draw a group of horizontal bars for each class.

    Args:
        title (str): What the length of a bar is.
        runs (Sequence[Bars]): A bar in each group.

    Returns:
        str: An SVG element, or '' if there is no value.
    """
    runs = [run for run in runs if run.values]
    names = list(dict.fromkeys(name for run in runs for name in run.values))
    values = [v for run in runs for v in run.values.values()
              if math.isfinite(v)]
    if not values:
        return ''
    # Bars start at 0, and negative values have none.
    largest = max(max(values), 0.) or 1.
    body = [f'<text class="title" x="0" y="13">{escape(title)}</text>']
    top = _TOP
    for name in names:
        # A run whose data lack the class takes no room.
        having = [run for run in runs
                  if math.isfinite(run.values.get(name, math.nan))]
        if having:
            body += _group(name, having, top, largest)
            top += len(having) * (_BAR + _SPACE) + _GAP
    return (f'<svg class="chart bars" viewBox="0 0 {_WIDTH} {top}" '
            f'role="img" aria-label="{escape(title, quote=True)}">'
            + ''.join(body) + '</svg>')


def _group(name: str, runs: Sequence[Bars], top: float,
           largest: float) -> list[str]:
    middle = top + len(runs) * (_BAR + _SPACE) / 2 + 4
    parts = [f'<text x="{_LABEL - 8}" y="{middle:.1f}" text-anchor="end">'
             f'<title>{escape(name)}</title>{escape(_short(name))}</text>']
    for index, run in enumerate(runs):
        value = run.values[name]
        y = top + index * (_BAR + _SPACE)
        length = max(value, 0.) / largest * (_WIDTH - _LABEL - _VALUE)
        parts.append(
            f'<rect x="{_LABEL}" y="{y}" width="{length:.1f}" '
            f'height="{_BAR}" fill="{run.color}"><title>'
            f'{escape(f"{run.name}, {name}: {value:.4g}")}</title></rect>'
            f'<text class="axis" x="{_LABEL + length + 4:.1f}" '
            f'y="{y + _BAR - 1}">{_figures(value, largest)}</text>')
    return parts


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f'{name[:_LETTERS - 1]}…'


def _figures(value: float, largest: float) -> str:
    # Percent, or a share.
    return f'{value:.1f}' if largest > 1.5 else f'{value:.3f}'
