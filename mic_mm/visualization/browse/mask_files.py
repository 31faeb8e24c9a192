# Copyright (c) mic_mm authors. All rights reserved.
"""Sweeps over masks of a config or of image files, and their files."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image, UnidentifiedImageError

from mic_mm.core import BlockMask, PixelStatistics, SeededDraws
from mic_mm.core.objectives import MaskedConsistency

from .. import annotations as fields
from .mask_sweep import MaskSweep, sweep_grid, sweep_page
from .replay import TrainingReplay

NamedSweep = tuple[MaskSweep, list[str]]

BLOCK_SIZES = (16, 32, 64)
# Of ImageNet, as nearly all configs have it: hidden blocks get this colour.
_STATISTICS = PixelStatistics([123.675, 116.28, 103.53],
                              [58.395, 57.12, 57.375])


def sweep_of_config(cfg: Config,
                    ratios: Sequence[float],
                    block_sizes: Optional[Sequence[int]] = None,
                    num: int = 2,
                    iteration: int = 0,
                    seed: Optional[int] = None) -> list[NamedSweep]:
    """Target images of a config with masks of its training.

    Args:
        cfg (Config): A training config with a
            :class:`mic_mm.core.MaskedConsistency`; without one, masks are
            those of an objective named ``mic``.
        ratios (Sequence[float]): Shares of hidden blocks.
        block_sizes (Sequence[int], optional): Sides of blocks. Defaults to
            None: half, once and twice the config's.
        num (int): Images, at most those of a batch. Defaults to 2.
        iteration (int): Iteration of the training. Defaults to 0.
        seed (int, optional): Defaults to None, that of the config.

    Raises:
        ValueError: If the config has no target images, or a mask does not
            fit them.
    """
    replay = TrainingReplay(cfg, seed=seed)
    domain = replay.batch(iteration).get('target')
    if domain is None:
        raise ValueError('The config has no target images to be masked; '
                         'give image files instead.')
    name, mask = _mask_of(replay)
    if block_sizes is None:
        block_sizes = BLOCK_SIZES
        if mask is not None:
            base = mask.block_size
            block_sizes = sorted({max(base // 2, 1), base, 2 * base})
    sweep = MaskSweep(
        images=domain['inputs'][:num].cpu(),
        statistics=replay.model.data_preprocessor.statistics,
        draws=SeededDraws(replay.seed, iteration).scoped(name),
        ratios=_with(ratios, mask and mask.ratio),
        block_sizes=_with(block_sizes, mask and mask.block_size),
        current=mask and (mask.ratio, mask.block_size),
        batch_size=len(domain['inputs']))
    return [(sweep, [
        fields.file_name(sample) or f'image {index}'
        for index, sample in enumerate(domain['data_samples'][:num])
    ])]


def _mask_of(replay: TrainingReplay) -> tuple[str, Optional[BlockMask]]:
    for name, objective in replay.model.objectives.items():
        if (isinstance(objective, MaskedConsistency)
                and isinstance(objective.mask, BlockMask)):
            return name, objective.mask
    return 'mic', None


def _with(values: Sequence, value) -> list:
    return sorted({*values} if value is None else {*values, value})


def sweep_of_images(paths: Sequence[str],
                    ratios: Sequence[float],
                    block_sizes: Optional[Sequence[int]] = None,
                    size: Optional[Sequence[int]] = None,
                    seed: int = 0) -> list[NamedSweep]:
    """Image files with masks; one sweep for each, as their sizes differ.

    Args:
        paths (Sequence[str]): The files.
        ratios (Sequence[float]): Shares of hidden blocks.
        block_sizes (Sequence[int], optional): Sides of blocks. Defaults to
            None, which means 16, 32 and 64.
        size (Sequence[int], optional): Height and width to resize to, those
            of the network's input. Defaults to None, no resizing.
        seed (int): Seed of the masks. Defaults to 0.

    Raises:
        ValueError: If a file is no image, or a mask does not fit.
    """
    return [(MaskSweep(
        images=_read(path, size),
        statistics=_STATISTICS,
        draws=SeededDraws(seed, index).scoped('mic'),
        ratios=_with(ratios, None),
        block_sizes=_with(block_sizes or BLOCK_SIZES, None)), [path])
            for index, path in enumerate(paths)]


def _read(path: str, size: Optional[Sequence[int]]) -> torch.Tensor:
    try:
        picture = Image.open(path).convert('RGB')
    except UnidentifiedImageError as error:
        raise ValueError(f'{path!r} is no image: {error}') from error
    if size is not None:
        picture = picture.resize((size[1], size[0]))
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    return _STATISTICS.from_unit_rgb(pixels.float() / 255)


def write_mask_files(sweeps: Sequence[NamedSweep],
                     folder: Path,
                     tile_size: int = 256) -> tuple[Path, Path]:
    """Write ``masks.png`` and ``masks.html``.

    Args:
        sweeps (Sequence): Sweeps with the names of their images.
        folder (Path): Where to; made if it does not exist.
        tile_size (int): About the longer side of a tile in pixels. Defaults
            to 256.
    """
    rows = [
        row for sweep, names in sweeps for row in sweep.rows(names, tile_size)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    picture, page = folder / 'masks.png', folder / 'masks.html'
    notes = ['Block sizes are in pixels of the image that the network sees. '
             'A larger ratio hides the blocks of a smaller one, and more.']
    Image.fromarray(sweep_grid(rows, notes)).save(picture)
    page.write_text(sweep_page(rows, notes), encoding='utf-8')
    return picture, page
