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
_OUTLINE = (120, 120, 120)
# How much wider than its pictures captions may make a column.
_WIDENING = 1.5


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
        """Pixels from the left to the right of the widest tile or text."""
        tiles = [tile for tile in self.tiles if tile]
        pictures = max((tile.picture.width for tile in tiles), default=0)
        captions = max((_length(tile.caption) for tile in tiles), default=0)
        # A long caption is cut off rather than pushing the tiles apart.
        widened = min(captions, round(_WIDENING * pictures))
        return max(_length(self.title), pictures, widened)


def draw_grid(columns: Sequence[Column],
              legend: Sequence[tuple[str, Color]] = (),
              header: Sequence[str] = ()) -> Image.Image:
    """Draw columns beside each other on white, titles above.

    Args:
        columns (Sequence[Column]): Columns from left to right; shorter ones
            leave their last rows empty.
        legend (Sequence): Name and colour of each class, drawn below.
            Defaults to ().
        header (Sequence[str]): Lines above the columns. Defaults to ().
    """
    heights = _row_heights(columns)
    width = sum(column.width + _GAP for column in columns) + _GAP
    width = max([width, *(_length(line) + 2 * _GAP for line in header)])
    top = len(header) * _LINE + (_GAP if header else 0)
    body = top + _TITLE + sum(heights) + _GAP
    lines = _legend_lines(legend, width)
    grid = Image.new('RGB', (width, body + len(lines) * _LINE), 'white')
    draw = ImageDraw.Draw(grid)
    for index, line in enumerate(header):
        draw.text((_GAP, 4 + index * _LINE), line, fill=_INK, font=load_font())
    x = _GAP
    for column in columns:
        draw.text((x, top + 4), column.title, fill=_INK, font=load_font())
        _draw_tiles(grid, draw, column, (x, top + _TITLE), heights)
        x += column.width + _GAP
    for index, line in enumerate(lines):
        _draw_legend_line(draw, line, body + index * _LINE)
    return grid


def _row_heights(columns: Sequence[Column]) -> list[int]:
    rows = list(zip_longest(*(column.tiles for column in columns)))
    has_captions = any(tile and tile.caption for row in rows for tile in row)
    extra = _GAP + (_LINE if has_captions else 0)
    return [
        extra + max((tile.picture.height for tile in row if tile), default=0)
        for row in rows
    ]


def _draw_tiles(grid, draw, column: Column, corner: tuple[int, int],
                heights: Sequence[int]) -> None:
    x, y = corner
    for tile, height in zip(column.tiles, heights):
        if tile:
            grid.paste(tile.picture, (x, y))
            draw.text((x, y + tile.picture.height + 1),
                      shorten(tile.caption, column.width),
                      fill=_INK,
                      font=load_font())
        y += height


def shorten(text: str, width: int) -> str:
    """Cut the middle out of a text that is longer than ``width`` pixels."""
    if _length(text) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        end = kept // 2
        cut = f'{text[:kept - end]}…{text[len(text) - end:]}'
        if _length(cut) <= width:
            return cut
    return '…'


def _length(text: str) -> int:
    return int(load_font().getlength(text)) + 1


def _legend_lines(legend, width: int) -> list[list]:
    """Break the legend into lines of (x, name, colour)."""
    lines: list[list] = []
    x = width
    for name, color in legend:
        length = FONT_SIZE + 4 + _length(name) + 3 * _GAP
        if x + length > width:
            lines.append([])
            x = _GAP
        lines[-1].append((x, name, color))
        x += length
    return lines


def _draw_legend_line(draw, line: Sequence, y: int) -> None:
    for x, name, color in line:
        # The outline shows a white swatch too.
        draw.rectangle((x, y + 2, x + FONT_SIZE, y + 2 + FONT_SIZE),
                       fill=color,
                       outline=_OUTLINE)
        draw.text((x + FONT_SIZE + 4, y), name, fill=_INK, font=load_font())
