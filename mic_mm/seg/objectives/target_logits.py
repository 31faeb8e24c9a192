# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmseg.models.utils import resize
from torch import Tensor, nn

from mic_mm.core import DomainBatch


def target_logits(batch: DomainBatch, student: nn.Module) -> Tensor:
    """The student's logits of the target images in image size, (B, C, H, W)."""
    images = batch.target.inputs
    logits = student(images, mode='tensor')
    return resize(
        logits,
        size=images.shape[-2:],
        mode='bilinear',
        align_corners=student.align_corners)
