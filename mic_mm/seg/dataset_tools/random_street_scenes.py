# Copyright (c) mic_mm authors. All rights reserved.
"""Street scenes of the published sizes, to measure how fast they are read."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mic_mm.utils.random_pictures import random_picture

from ..datasets import ClassStatistics

GTA_SIZE = (1052, 1914)
CITYSCAPES_SIZE = (1024, 2048)
_NUM_CLASSES = 19
_IGNORED = 255
# Side of the regions of one class, in pixels.
_REGION = 48


def write_street_scenes(root: Path, count: int = 4) -> None:
    """Write ``root/gta`` with labels and statistics, and ``root/cityscapes``.

    Args:
        root (Path): Where to.
        count (int): Images per data set. Defaults to 4; few, so that they
            stay in the memory of the machine and not the disk is measured.
    """
    counts = {}
    for seed in range(count):
        rng = np.random.default_rng(seed)
        _write(root / f'gta/images/{seed:05d}.png', random_picture(rng, GTA_SIZE))
        label = labels(rng, GTA_SIZE)
        name = f'labels/{seed:05d}_labelTrainIds.png'
        _write(root / 'gta' / name, label)
        counts[name] = {
            c: int((label == c).sum())
            for c in range(_NUM_CLASSES)
        }
        _write(
            root / f'cityscapes/leftImg8bit/train/a/{seed}_leftImg8bit.png',
            random_picture(rng, CITYSCAPES_SIZE))
    ClassStatistics(counts).write(root / 'gta')


def labels(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Square regions of the classes and of ignored pixels, uint8 (H, W)."""
    height, width = size
    values = np.append(np.arange(_NUM_CLASSES), _IGNORED).astype(np.uint8)
    coarse = rng.choice(values, (-(-height // _REGION), -(-width // _REGION)))
    return coarse.repeat(_REGION, 0).repeat(_REGION, 1)[:height, :width]


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), pixels):
        raise OSError(f'{path} cannot be written.')
