# Copyright (c) mic_mm authors. All rights reserved.
"""Colours for classes and weights."""
from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Optional

import numpy as np

Color = tuple[int, int, int]

# Pixels without a class: a grey that no class of a common palette has.
IGNORED: Color = (200, 200, 200)

# Turning the hue by the golden ratio keeps neighbours apart for any number
# of classes.
_HUE_STEP = 0.618034
_BRIGHTNESS = (0.95, 0.7, 0.5)

# Ends and middle of the heat map: dark blue (0), teal (0.5), yellow (1).
# Brightness rises all the way, so that it also reads in grey.
_HEAT = np.array([[0.2, 0.1, 0.4], [0.1, 0.55, 0.55], [1., 0.9, 0.2]])


def class_colors(count: int,
                 palette: Optional[Sequence[Sequence[int]]] = None
                 ) -> list[Color]:
    """A colour for each class.

    Args:
        count (int): Number of classes.
        palette (Sequence, optional): RGB in [0, 255] of each class, as in
            the meta information of datasets. Defaults to None. Classes it
            does not reach get a colour of their own.
    """
    given = [tuple(int(v) for v in color) for color in palette or ()]
    return given[:count] + [_color(i) for i in range(len(given), count)]


def _color(index: int) -> Color:
    hue = index * _HUE_STEP % 1.
    brightness = _BRIGHTNESS[index % len(_BRIGHTNESS)]
    return tuple(
        round(255 * v) for v in colorsys.hsv_to_rgb(hue, 0.75, brightness))


def color_label_map(labels: np.ndarray,
                    colors: Sequence[Color]) -> np.ndarray:
    """Colour the class indices of pixels.

    Args:
        labels (np.ndarray): Class indices, (H, W); others than those of
            ``colors`` become ``IGNORED``.
        colors (Sequence): RGB of each class.

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.
    """
    table = np.array([*colors, IGNORED], dtype=np.uint8)
    is_known = (labels >= 0) & (labels < len(colors))
    return table[np.where(is_known, labels, len(colors))]


def heat_map(values: np.ndarray) -> np.ndarray:
    """Colour values from dark blue (0) over teal (0.5) to yellow (1).

    Args:
        values (np.ndarray): (H, W); values outside [0, 1] are clipped.

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.
    """
    stops = np.linspace(0, 1, len(_HEAT))
    channels = [np.interp(values, stops, _HEAT[:, c]) for c in range(3)]
    return (255 * np.stack(channels, axis=-1)).round().astype(np.uint8)
