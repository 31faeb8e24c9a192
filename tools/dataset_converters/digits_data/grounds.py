# Copyright (c) mic_mm authors. All rights reserved.
"""The ground under the digits: plain colour (source) or photograph (target).

All pictures are RGB, uint8.
"""
from __future__ import annotations

from typing import Dict, List, Tuple

import cv2
import numpy as np

# Pictures inside the wheels of scikit-image and scikit-learn: nothing is
# downloaded. Left out are those whose content is writing (page, text, logo).
SKIMAGE_PICTURES = ('astronaut', 'brick', 'camera', 'chelsea', 'coffee',
                    'grass', 'gravel', 'rocket')
SKLEARN_PICTURES = ('china.jpg', 'flower.jpg')

# Columns of every picture, as shares of its width, that belong to a split.
# A test canvas never shows a piece of a photograph seen in training.
COLUMNS = dict(train=(0.0, 0.6), val=(0.6, 0.75), test=(0.75, 1.0))

# Side of the square cut out of a picture, in its own pixels: large enough to
# show texture, small enough for the narrowest band (15 % of 451 columns).
CROP_SIDE = (48, 64)


def _load_pictures() -> List[np.ndarray]:
    try:
        import skimage.data
        from sklearn.datasets import load_sample_image
    except ImportError as error:
        raise ImportError(
            'The photographs of the target ground are shipped inside '
            'scikit-image and scikit-learn. '
            'Run: pip install scikit-image scikit-learn') from error
    pictures = [getattr(skimage.data, name)() for name in SKIMAGE_PICTURES]
    pictures += [load_sample_image(name) for name in SKLEARN_PICTURES]
    return [
        np.stack([p] * 3, axis=-1) if p.ndim == 2 else p for p in pictures
    ]


def photo_grounds() -> Dict[str, List[np.ndarray]]:
    """Photographs and textures, cut into one band of columns per split.

    Returns:
        Dict[str, List[np.ndarray]]: 'train', 'val' and 'test', each a list of
        RGB pictures of shape (H, W, 3).
    """
    bands = {name: [] for name in COLUMNS}
    for picture in _load_pictures():
        width = picture.shape[1]
        for name, (left, right) in COLUMNS.items():
            bands[name].append(picture[:, int(left * width):int(right * width)])
    return bands


def photo_ground(pictures: List[np.ndarray], size: int,
                 rng: np.random.Generator) -> np.ndarray:
    """Cut a random square out of a random picture and scale it to size."""
    picture = pictures[rng.integers(len(pictures))]
    side = int(rng.integers(CROP_SIDE[0], CROP_SIDE[1] + 1))
    top = rng.integers(picture.shape[0] - side + 1)
    left = rng.integers(picture.shape[1] - side + 1)
    crop = picture[top:top + side, left:left + side]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return cv2.resize(np.ascontiguousarray(crop), (size, size),
                      interpolation=cv2.INTER_LINEAR)


def plain_ground(size: int, rng: np.random.Generator,
                 tint: float = 30., slope: float = 30.,
                 grain: float = 4.) -> np.ndarray:
    """A sheet of one colour under slightly uneven light.

    Args:
        size (int): Side of the square canvas in pixels.
        rng (np.random.Generator): Source of randomness.
        tint (float): Largest distance of a channel from the grey level, in
            grey levels. Defaults to 30: paper, not paint.
        slope (float): Largest difference of light across the canvas, in grey
            levels. Defaults to 30.
        grain (float): Standard deviation of the sensor noise, in grey levels.
            Defaults to 4.

    Returns:
        np.ndarray: RGB, uint8, shape (size, size, 3).
    """
    colour = rng.uniform(30, 225) + rng.uniform(-tint, tint, size=3)
    axis = np.linspace(-0.5, 0.5, size)
    slopes: Tuple[float, float] = tuple(rng.uniform(-slope, slope, size=2))
    light = slopes[0] * axis[:, None] + slopes[1] * axis[None]
    noise = rng.normal(0, grain, size=(size, size, 3))
    sheet = colour + light[..., None] + noise
    return np.clip(np.rint(sheet), 0, 255).astype(np.uint8)
