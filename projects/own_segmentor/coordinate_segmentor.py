# Copyright (c) mic_mm authors. All rights reserved.
"""A segmentor that is in no library."""
from __future__ import annotations

import torch
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class CoordinateSegmentor(EncoderDecoder):
    """A segmentor that knows where in the image a pixel is.

    Two channels are appended to the image, with the height and the width of
    each pixel from -1 to 1: the backbone needs ``in_channels=5``.
    """

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        return super().extract_feat(with_coordinates(inputs))


def with_coordinates(images: Tensor) -> Tensor:
    """Append the coordinates of the pixels: (B, C, H, W) to (B, C + 2, H, W)."""
    axes = [
        torch.linspace(-1, 1, size, device=images.device, dtype=images.dtype)
        for size in images.shape[2:]
    ]
    grid = torch.stack(torch.meshgrid(*axes, indexing='ij'))
    return torch.cat([images, grid.expand(len(images), -1, -1, -1)], dim=1)
