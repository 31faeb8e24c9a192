# Copyright (c) mic_mm authors. All rights reserved.
"""Labelled images of chosen size and classes, on disk."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_image(path: Path, size: tuple[int, int], seed: int = 0) -> Path:
    """Write noise of size (height, width)."""
    pixels = np.random.RandomState(seed).randint(
        0, 256, (*size, 3), dtype=np.uint8)
    return _write(path, pixels)


def write_labels(path: Path,
                 size: tuple[int, int],
                 classes: Sequence[int],
                 dtype: type = np.uint8) -> Path:
    """Write vertical stripes, the i-th of class ``classes[i]``.

    The stripes are equally wide up to a pixel.
    """
    column = np.arange(size[1]) * len(classes) // size[1]
    labels: np.ndarray = np.asarray(classes, dtype)[column]
    return _write(path, np.broadcast_to(labels, size).copy())


def _write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path
