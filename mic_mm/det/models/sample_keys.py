# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from mic_mm.core.draws import RandomDraws


def draw_sample_keys(draws: Optional[RandomDraws], name: str, images: int,
                     boxes: int, device: torch.device) -> Tensor:
    """Uniform keys ``(images, boxes)`` for :class:`mic_mm.KeySampler`.

    Args:
        draws (RandomDraws, optional): None for PyTorch's global generator.
        name (str): Name of the numbers.
        images (int): Number of images.
        boxes (int): Largest number of boxes of an image.
        device (torch.device): Where they are used.
    """
    if draws is None:
        return torch.rand(images, boxes).to(device)
    return draws.uniform_per_sample(name, images, boxes).to(device)
