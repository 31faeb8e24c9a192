# Copyright (c) mic_mm authors. All rights reserved.
"""Masked images for several ratios and block sizes."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np
from torch import Tensor

from mic_mm.core.block_mask import BlockMask
from mic_mm.core.draws import RandomDraws
from mic_mm.core.pixel_statistics import PixelStatistics

from ..grid import Column, draw_grid
from ..tiles import Tile, resize, scale_to, to_pixels
from .browse_page import browse_page
from .samples import Sample

_ORIGINAL = 'not masked'


@dataclass(frozen=True)
class MaskSweep:
    """Every image with every mask.

    All masks of a block size come from the same noise, so a larger ratio
    hides more blocks, and the same ones as a smaller one.

    Args:
        images (Tensor): Normalised, (B, C, H, W).
        statistics (PixelStatistics): How they were normalised.
        draws (RandomDraws): The noise; that of an objective
            (``SeededDraws(seed, iteration).scoped('mic')``) gives the masks
            of training.
        ratios (Sequence[float]): Shares of hidden blocks. Defaults to
            (0.3, 0.5, 0.7); MIC uses 0.5 and 0.7.
        block_sizes (Sequence[int]): Sides of blocks in pixels of the
            network's input. Defaults to (16, 32, 64); MIC uses 32 and 64.
        current (tuple, optional): Ratio and block size of the config, to be
            marked. Defaults to None.
        batch_size (int, optional): Images that share the noise, of which
            ``images`` are the first. Defaults to None, ``images``.

    Raises:
        ValueError: If a mask does not fit the images.
    """

    images: Tensor
    statistics: PixelStatistics
    draws: RandomDraws
    ratios: Sequence[float] = (0.3, 0.5, 0.7)
    block_sizes: Sequence[int] = (16, 32, 64)
    current: Optional[tuple[float, int]] = None
    batch_size: Optional[int] = None

    def masked(self, ratio: float, block_size: int) -> tuple[Tensor, Tensor]:
        """Masked images and the hidden share of each, (B, )."""
        mask = BlockMask(ratio, block_size)
        size = tuple(self.images.shape[-2:])
        count = len(self.images)
        noise = mask.draw(self.draws, self.batch_size or count, size)[:count]
        hidden = 1 - mask.keep_mask(noise, size).mean(dim=(1, 2, 3))
        return mask.apply(self.images, noise), hidden

    def rows(self, names: Sequence[str], tile_size: int) -> list[Sample]:
        """A row for each image and ratio, a tile for each block size.

        Args:
            names (Sequence[str]): Name of each image.
            tile_size (int): About the longer side of a tile in pixels.
        """
        tiles = [self._tile(image, tile_size) for image in self.images]
        found: dict[tuple[int, float], dict[str, Tile]] = {
            (index, ratio): {
                _ORIGINAL: Tile(tile.picture, words=(name, f'ratio {ratio:g}'))
            }
            for index, (tile, name) in enumerate(zip(tiles, names))
            for ratio in self.ratios
        }
        for ratio in self.ratios:
            for block_size in self.block_sizes:
                images, hidden = self.masked(ratio, block_size)
                for index, share in enumerate(hidden.tolist()):
                    tile = self._tile(images[index], tile_size)
                    found[index, ratio][f'blocks of {block_size} px'] = Tile(
                        tile.picture, self._caption(ratio, block_size, share))
        return [
            Sample(f'ratio {ratio:g}', row)
            for (_, ratio), row in found.items()
        ]

    def _caption(self, ratio: float, block_size: int, share: float) -> str:
        rows, columns = BlockMask(ratio, block_size).grid(
            tuple(self.images.shape[-2:]))
        text = f'{rows}×{columns} blocks, {100 * share:.0f} % hidden'
        is_current = self.current == (ratio, block_size)
        return f'{text} ← config' if is_current else text

    def _tile(self, image: Tensor, tile_size: int) -> Tile:
        factor = scale_to(image.shape[-2:], tile_size)
        return Tile(resize(to_pixels(image, self.statistics), factor))


def sweep_grid(rows: Sequence[Sample],
               header: Sequence[str] = ()) -> np.ndarray:
    """All rows in one picture.

    Args:
        rows (Sequence[Sample]): What :meth:`MaskSweep.rows` gives.
        header (Sequence[str]): Lines above. Defaults to ().

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.
    """
    kinds = list(dict.fromkeys(kind for row in rows for kind in row.tiles))
    columns = [
        Column(kind, [
            Tile(row.tiles[kind].picture,
                 row.tiles[kind].caption or row.name) for row in rows
        ]) for kind in kinds
    ]
    return np.asarray(draw_grid(columns, (), header))


def sweep_page(rows: Sequence[Sample], notes: Sequence[str] = ()) -> str:
    """All rows as a web page in one file, with a filter."""
    return browse_page('Masks', rows, [], notes)
