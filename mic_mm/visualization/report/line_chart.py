# Copyright (c) mic_mm authors. All rights reserved.
"""Line charts as SVG, without JavaScript."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 460, 260
# Room for the numbers of the axes and the titles.
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 34, 40
_TICKS = 5
# With more points only the last one has a mark: circles would hide the line.
_MARKED = 120


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        name (str): What it is, for the legend. Lines of the same name share
            an entry.
        steps (Sequence[float]): Horizontal values, increasing.
        values (Sequence[float]): Vertical values; what is not finite is
            left out.
        color (str): CSS colour.
    """

    name: str
    steps: Sequence[float]
    values: Sequence[float]
    color: str

    def points(self) -> list[tuple[float, float]]:
        """The points that can be drawn."""
        return [(float(x), float(y)) for x, y in zip(self.steps, self.values)
                if math.isfinite(y)]


def line_chart(title: str,
               lines: Sequence[Line],
               x_label: str = '',
               has_legend: bool = True) -> str:
    """Draw curves into one chart.

    Args:
        title (str): What the vertical axis is.
        lines (Sequence[Line]): The curves.
        x_label (str): What the horizontal axis is. Defaults to ''.
        has_legend (bool): Whether the curves are named. Defaults to True;
            False where a page has one legend for many charts.

    Returns:
        str: An SVG element, or '' if no curve has a point.
    """
    drawn = [line for line in lines if line.points()]
    if not drawn:
        return ''
    xs, ys = zip(*(point for line in drawn for point in line.points()))
    # Iterations count from 0, whenever the first value was logged.
    plot = _Plot(_ticks(min(*xs, 0), max(xs)), _ticks(min(ys), max(ys)))
    body = [
        f'<text class="title" x="{_LEFT}" y="14">{escape(title)}</text>',
        *plot.grid(), *(_legend(drawn) if has_legend else ()),
        *(plot.curve(line) for line in drawn),
        f'<text class="axis" x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" '
        f'y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
    ]
    return (f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'role="img" aria-label="{escape(title, quote=True)}">'
            + ''.join(body) + '</svg>')


class _Plot:
    """The area between the first and last tick of both axes."""

    def __init__(self, x_ticks: list[float], y_ticks: list[float]) -> None:
        self.x_ticks = x_ticks
        self.y_ticks = y_ticks

    def x(self, value: float) -> float:
        first, last = self.x_ticks[0], self.x_ticks[-1]
        return _LEFT + (value - first) / (last - first) * (
            _WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        first, last = self.y_ticks[0], self.y_ticks[-1]
        return _HEIGHT - _BOTTOM - (value - first) / (last - first) * (
            _HEIGHT - _TOP - _BOTTOM)

    def grid(self) -> list[str]:
        parts = []
        for tick in self.y_ticks:
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{_LEFT}" '
                         f'x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                         f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" '
                         f'text-anchor="end">{tick:g}</text>')
        for tick in self.x_ticks:
            parts.append(f'<text class="axis" x="{self.x(tick):.1f}" '
                         f'y="{_HEIGHT - _BOTTOM + 16}" '
                         f'text-anchor="middle">{tick:g}</text>')
        return parts

    def curve(self, line: Line) -> str:
        points = [(self.x(x), self.y(y)) for x, y in line.points()]
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        marks = [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
            f'<title>{escape(line.name)}: {value:.4g} at {step:g}</title>'
            '</circle>'
            for (x, y), (step, value) in zip(points, line.points())
        ]
        if len(marks) > _MARKED:
            marks = marks[-1:]
        return (f'<g class="curve" style="stroke:{line.color};'
                f'fill:{line.color}"><polyline points="{path}"/>'
                + ''.join(marks) + '</g>')


def _legend(lines: Sequence[Line]) -> list[str]:
    colors = {line.name: line.color for line in lines}
    parts = []
    x = _LEFT
    for name, color in colors.items():
        parts.append(f'<circle cx="{x + 4}" cy="24" r="4" fill="{color}"/>'
                     f'<text class="axis" x="{x + 12}" y="28">'
                     f'{escape(name)}</text>')
        x += 26 + 6.5 * len(name)
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose ``low`` and ``high``."""
    if low == high:
        # A flat curve lies in the middle, one of zeros at the bottom: losses and
        # shares are not negative.
        pad = abs(low) / 2
        low, high = low - pad, high + (pad or 1.)
    rough = (high - low) / _TICKS
    power = 10.**math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    # 12 digits: no 0.30000000000000004 on the axis.
    return [float(f'{i * step:.12g}') for i in range(first, last + 1)]
