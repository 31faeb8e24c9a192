# Copyright (c) mic_mm authors. All rights reserved.
"""Between the arrays of a pipeline and the batches of :mod:`mic_mm.core`."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_batch(img: np.ndarray) -> Tensor:
    """Convert an image (H, W, C) or (H, W) to a float32 batch of one."""
    if img.ndim == 2:
        img = img[..., None]
    channels_first = np.ascontiguousarray(img.transpose(2, 0, 1))
    return torch.from_numpy(channels_first).float()[None]


def from_batch(batch: Tensor, like: np.ndarray) -> np.ndarray:
    """Convert back, to the shape and data type of the image ``like``.

    Integer images are rounded and clipped to the range of their type.
    """
    img = batch[0].permute(1, 2, 0).numpy()
    if np.issubdtype(like.dtype, np.integer):
        limits = np.iinfo(like.dtype)
        img = np.clip(np.rint(img), limits.min, limits.max)
    return np.ascontiguousarray(img.astype(like.dtype)).reshape(like.shape)
