# Copyright (c) mic_mm authors. All rights reserved.
"""What of HRDA's prediction is shown."""
from __future__ import annotations

import torch
from mmseg.models.utils import resize
from torch import Tensor

from .scale_fusion import ScaleLogits

HRDA_OUTPUTS = ('fused', 'lr', 'hr', 'attention')


def select_output(logits: ScaleLogits,
                  output: str,
                  align_corners: bool = False) -> Tensor:
    """One of the maps of a prediction, (B, C, H, W).

    ``attention`` has two channels, the shares of context and detail: the
    attention of each class, weighted by the probability of the class.  Its
    prediction, 0 or 1, says which scale decides.

    Args:
        logits (ScaleLogits): The prediction.
        output (str): One of :data:`HRDA_OUTPUTS`.
        align_corners (bool): For enlarging. Defaults to False.

    Raises:
        ValueError: If ``output`` is unknown.
    """
    if output == 'fused':
        return logits.fused
    if output == 'hr':
        return logits.detail
    if output == 'lr':
        return resize(
            logits.context,
            size=logits.fused.shape[-2:],
            mode='bilinear',
            align_corners=align_corners)
    if output == 'attention':
        probabilities = logits.fused.softmax(dim=1)
        detail = (logits.attention * probabilities).sum(dim=1, keepdim=True)
        return torch.cat([1 - detail, detail], dim=1)
    raise ValueError(f'test_cfg.hrda_output={output!r} is unknown; choose one '
                     f'of {HRDA_OUTPUTS}.')
