# Copyright (c) mic_mm authors. All rights reserved.
"""Pictures that take as long to decode as photographs."""
from __future__ import annotations

import cv2
import numpy as np

# Side of the detail, in pixels.
_DETAIL = 40


def random_picture(rng: np.random.Generator,
                   size: tuple[int, int],
                   noise: int = 1) -> np.ndarray:
    """Smooth colours with a little noise.

    Args:
        rng (Generator): Source of the colours.
        size (tuple[int, int]): Height and width.
        noise (int): Its strength. Defaults to 1: a PNG of 2048x1024 then
            takes 2.7 to 2.9 MB, and those of GTA and Cityscapes 2.3 MB on
            average. With 14 a JPEG of 500x375 takes 95 kB, about as much as
            one of ImageNet.

    Returns:
        ndarray: uint8 (H, W, 3).
    """
    height, width = size
    coarse = rng.integers(
        0, 256, (height // _DETAIL, width // _DETAIL, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(-noise, noise + 1, (height, width, 3))
    return (smooth + grain).clip(0, 255).astype(np.uint8)
