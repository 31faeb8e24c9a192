# Copyright (c) mic_mm authors. All rights reserved.
"""Where Cityscapes keeps its files."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from .label_conversion import LabelFiles
from .label_readers import read_cityscapes_polygons, read_index_image

SPLITS = ('train', 'val', 'test')
IDS = '_gtFine_labelIds.png'
POLYGONS = '_gtFine_polygons.json'
TRAIN_IDS = '_gtFine_labelTrainIds.png'
IMAGE = '_leftImg8bit.png'


def find_split(root: Path, split: str) -> list[LabelFiles]:
    """Label maps of a split: those of ids, and polygons where these lack."""
    labels, images = root / 'gtFine' / split, root / 'leftImg8bit' / split
    found: dict[Path, Path] = {}
    for suffix in (POLYGONS, IDS):
        for path in labels.glob(f'*/*{suffix}'):
            found[path.relative_to(labels).with_name(
                path.name.removesuffix(suffix))] = path
    return [
        LabelFiles(path, images / f'{stem}{IMAGE}',
                   labels / f'{stem}{TRAIN_IDS}')
        for stem, path in sorted(found.items())
    ]


def read_cityscapes_label(path: Path) -> np.ndarray:
    """Read ids, or draw polygons."""
    if path.name.endswith(POLYGONS):
        return read_cityscapes_polygons(path)
    return read_index_image(path)


def names_of(files: list[Path], folder: Path, suffix: str) -> list[str]:
    """Names as in the lists of a split, ``<city>/<city>_..._...``."""
    return [
        path.relative_to(folder).as_posix().removesuffix(suffix)
        for path in files
    ]
