# Copyright (c) mic_mm authors. All rights reserved.
"""A picture of titled columns of tiles."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Optional

from PIL import Image, ImageDraw

from .palette import Color
from .tiles import FONT_SIZE, Tile, load_font

_GAP = 6
_LINE = FONT_SIZE + 6
_TITLE = FONT_SIZE + 12
_INK = 'black'


@dataclass(frozen=True)
class Column:
    """Tiles under each other.

    Attributes:
        title (str): What they show.
        tiles (Sequence[Tile]): One per row; None leaves the row empty.
    """

    title: str
    tiles: Sequence[Optional[Tile]]

    @property
    def width(self) -> int:
        """Pixels from the left to the right of the widest tile or title."""
        text = load_font().getlength(self.title)
        return max([int(text) + 1, *(t.picture.width for t in self.tiles if t)])


def draw_grid(columns: Sequence[Column],
              legend: Sequence[tuple[str, Color]] = ()) -> Image.Image:
    """Draw columns beside each other on white, titles above.

    Args:
        columns (Sequence[Column]): Columns from left to right; shorter ones
            leave their last rows empty.
        legend (Sequence): Name and colour of each class, drawn below.
            Defaults to ().
    """
    heights = _row_heights(columns)
    width = sum(column.width + _GAP for column in columns) + _GAP
    body = _TITLE + sum(heights) + _GAP
    lines = _legend_lines(legend, width)
    grid = Image.new('RGB', (width, body + len(lines) * _LINE), 'white')
    draw = ImageDraw.Draw(grid)
    x = _GAP
    for column in columns:
        draw.text((x, 4), column.title, fill=_INK, font=load_font())
        _draw_tiles(grid, draw, column, x, heights)
        x += column.width + _GAP
    for index, line in enumerate(lines):
        _draw_legend_line(draw, line, body + index * _LINE)
    return grid


def _row_heights(columns: Sequence[Column]) -> list[int]:
    rows = list(zip_longest(*(column.tiles for column in columns)))
    has_captions = any(tile and tile.caption for row in rows for tile in row)
    extra = _GAP + (_LINE if has_captions else 0)
    return [
        extra + max(tile.picture.height for tile in row if tile)
        for row in rows
    ]


def _draw_tiles(grid, draw, column: Column, x: int,
                heights: Sequence[int]) -> None:
    y = _TITLE
    for tile, height in zip(column.tiles, heights):
        if tile:
            grid.paste(tile.picture, (x, y))
            below = (x, y + tile.picture.height + 1)
            draw.text(below, tile.caption, fill=_INK, font=load_font())
        y += height


def _legend_lines(legend, width: int) -> list[list]:
    """Break the legend into lines of (x, name, colour)."""
    lines: list[list] = []
    x = width
    for name, color in legend:
        length = FONT_SIZE + 4 + int(load_font().getlength(name)) + 3 * _GAP
        if x + length > width:
            lines.append([])
            x = _GAP
        lines[-1].append((x, name, color))
        x += length
    return lines


def _draw_legend_line(draw, line: Sequence, y: int) -> None:
    for x, name, color in line:
        draw.rectangle((x, y + 2, x + FONT_SIZE, y + 2 + FONT_SIZE),
                       fill=color)
        draw.text((x + FONT_SIZE + 4, y), name, fill=_INK, font=load_font())
