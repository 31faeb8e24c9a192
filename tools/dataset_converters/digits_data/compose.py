# Copyright (c) mic_mm authors. All rights reserved.
"""Digits on a canvas, with the label map and the boxes that follow."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

import cv2
import numpy as np

from .scans import Scans

# Opacity from which a pixel counts as ink, in the label map and the boxes.
INK = 0.5
# Scans are enlarged this much before the ink is cut out, so that the edge of
# an 8x8 scan is found to a fraction of its coarse pixels.
_ENLARGE = 8


@dataclass(frozen=True)
class Jitter:
    """How much a scan is deformed before it is drawn.

    Args:
        rotation (float): Largest angle in degrees, either way.
        shear (float): Largest slant, in columns per row, either way.
        width (Tuple[float, float]): Least and largest factor of the width.
        threshold (Tuple[float, float]): Least and largest grey level, of 1,
            at which ink ends: a high one makes a thin stroke.
        softness (float): Grey levels, of 1, over which ink fades out.
    """
    rotation: float = 10.
    shear: float = 0.2
    width: Tuple[float, float] = (0.8, 1.1)
    threshold: Tuple[float, float] = (0.4, 0.7)
    softness: float = 0.3


@dataclass(frozen=True)
class CanvasStyle:
    """How a canvas is laid out.

    Args:
        size (int): Side of the canvas in pixels. It is divided in 2x2 cells.
        digits (Tuple[int, int]): Least and largest number of digits, each in
            a cell of its own. Between 1 and 4.
        side (Tuple[int, int]): Least and largest side (the longer one) of a
            digit's ink in pixels.
        contrast (Tuple[float, float]): Least and largest distance of the ink
            from the mean of the ground below it, in grey levels.
        jitter (Jitter, optional): Deformation of the scans. Defaults to None.
    """
    size: int = 64
    digits: Tuple[int, int] = (4, 4)
    side: Tuple[int, int] = (26, 31)
    contrast: Tuple[float, float] = (90., 150.)
    jitter: Optional[Jitter] = None


@dataclass(frozen=True)
class Canvas:
    """A composed image and its annotations.

    Args:
        image (np.ndarray): RGB, uint8, shape (S, S, 3).
        label_map (np.ndarray): uint8, shape (S, S): 0 ground, digit + 1 ink.
        boxes (np.ndarray): int64, shape (K, 4): x, y, width, height in
            pixels, tight around the ink.
        labels (np.ndarray): int64, shape (K, ): the digits.
        scans (np.ndarray): int64, shape (K, ): index of the scan used.
    """
    image: np.ndarray
    label_map: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    scans: np.ndarray


def _ink_extent(alpha: np.ndarray) -> Tuple[slice, slice]:
    rows = np.flatnonzero((alpha > INK).any(axis=1))
    cols = np.flatnonzero((alpha > INK).any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)


def _deform(image: np.ndarray, jitter: Jitter,
            rng: np.random.Generator) -> np.ndarray:
    """Rotate, slant and stretch about the centre, then redraw the edge."""
    angle = np.deg2rad(rng.uniform(-jitter.rotation, jitter.rotation))
    slant = rng.uniform(-jitter.shear, jitter.shear)
    stretch = rng.uniform(*jitter.width)
    matrix = np.array([[stretch * np.cos(angle), slant - np.sin(angle)],
                       [stretch * np.sin(angle), np.cos(angle)]])
    centre = np.array(image.shape[::-1]) / 2
    shift = centre - matrix @ centre
    warped = cv2.warpAffine(image, np.column_stack([matrix, shift]),
                            image.shape[::-1])
    threshold = rng.uniform(*jitter.threshold)
    return (warped - threshold) / jitter.softness + INK


def cut_glyph(scan: np.ndarray, side: int, jitter: Optional[Jitter] = None,
              rng: Optional[np.random.Generator] = None) -> np.ndarray:
    """Cut the ink out of a scan and scale its longer side.

    Args:
        scan (np.ndarray): uint8, shape (H, W), ink bright on black.
        side (int): Longer side of the result in pixels.
        jitter (Jitter, optional): Deformation. Defaults to None.
        rng (np.random.Generator, optional): Randomness of the deformation.
            Defaults to None.

    Returns:
        np.ndarray: float32 opacity in [0, 1], shape (h, w) with
        max(h, w) <= side; each of its four borders touches ink
        (opacity > ``INK``).
    """
    margin = max(1, len(scan) // 4)  # room for the deformation
    padded = np.pad(scan.astype(np.float32) / max(int(scan.max()), 1), margin)
    large = cv2.resize(padded, None, fx=_ENLARGE, fy=_ENLARGE,
                       interpolation=cv2.INTER_CUBIC)
    if jitter is not None:
        large = _deform(large, jitter, rng)
    large = np.clip(large[_ink_extent(large)], 0, 1)
    scale = side / max(large.shape)
    shape = [max(1, round(length * scale)) for length in large.shape]
    glyph = cv2.resize(large, (shape[1], shape[0]),
                       interpolation=cv2.INTER_AREA)
    return glyph[_ink_extent(glyph)]


def _ink_colour(below: np.ndarray, style: CanvasStyle,
                rng: np.random.Generator) -> np.ndarray:
    """A colour that is darker or brighter than the ground below the ink."""
    mean = below.reshape(-1, 3).mean(axis=0)
    contrast = rng.uniform(*style.contrast)
    room_above, room_below = 255 - mean.mean(), mean.mean()
    sign = 1 if rng.random() * 255 < room_above else -1
    if min(room_above, room_below) < contrast:
        sign = 1 if room_above > room_below else -1
    return np.clip(mean + sign * contrast + rng.uniform(-20, 20, size=3),
                   0, 255)


def compose_canvas(scans: Scans, ground: np.ndarray, style: CanvasStyle,
                   rng: np.random.Generator) -> Canvas:
    """Draw random scans into random cells of the ground.

    Args:
        scans (Scans): Scans to draw from, with replacement.
        ground (np.ndarray): RGB, uint8, shape (size, size, 3).
        style (CanvasStyle): Layout.
        rng (np.random.Generator): Source of randomness.

    Returns:
        Canvas: The image and its annotations; ink stays inside its cell, so
        no digit covers another one.
    """
    image = ground.astype(np.float32)
    label_map = np.zeros(ground.shape[:2], dtype=np.uint8)
    count = rng.integers(style.digits[0], style.digits[1] + 1)
    chosen = rng.integers(len(scans), size=count)
    cells = np.sort(rng.permutation(4)[:count])
    boxes = []
    for index, cell in zip(chosen, cells):
        side = int(rng.integers(style.side[0], style.side[1] + 1))
        glyph = cut_glyph(scans.images[index], side, style.jitter, rng)
        height, width = glyph.shape
        cell_side = style.size // 2
        top = cell // 2 * cell_side + rng.integers(cell_side - height + 1)
        left = cell % 2 * cell_side + rng.integers(cell_side - width + 1)
        window = slice(top, top + height), slice(left, left + width)
        colour = _ink_colour(image[window], style, rng)
        alpha = glyph[..., None]
        image[window] = image[window] * (1 - alpha) + colour * alpha
        label_map[window][glyph > INK] = scans.labels[index] + 1
        boxes.append((left, top, width, height))
    return Canvas(np.rint(image).astype(np.uint8), label_map,
                  np.array(boxes, dtype=np.int64), scans.labels[chosen],
                  scans.indices[chosen])
