# Copyright (c) mic_mm authors. All rights reserved.
"""Weights of pseudo-labelled samples: the student's own confidence."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

PSEUDO_WEIGHTS = ('prob', None)


def check_pseudo_weight(value: Optional[str], place: str) -> None:
    """Raise a ValueError unless the option is one of the known ones."""
    if value not in PSEUDO_WEIGHTS:
        raise ValueError(f'{place}.pseudo_weight={value!r} is unknown; choose '
                         f'one of {PSEUDO_WEIGHTS}.')


def objectness_weights(logits: Tensor, is_pseudo: Tensor,
                       detach: bool) -> Tensor:
    r"""Weights of sampled anchors.

    :math:`\sigma(o)` of a pseudo-labelled anchor with objectness logit
    :math:`o`, 1 of any other.

    Args:
        logits (Tensor): ``(S,)``.
        is_pseudo (Tensor): ``(S,)``, bool.
        detach (bool): Whether the weights are constants. If not, the
            gradient of a positive anchor has the wrong sign below
            :math:`\sigma(o) = 1/e`: the loss :math:`-\sigma\log\sigma`
            falls towards 0 there.
    """
    probability = logits.sigmoid()
    if detach:
        probability = probability.detach()
    return torch.where(is_pseudo, probability, torch.ones_like(logits))


def class_weights(logits: Tensor, is_pseudo: Tensor) -> Tensor:
    """Weights of sampled RoIs.

    Largest class probability of a pseudo-labelled RoI, background included,
    without gradient; 1 of any other.

    Args:
        logits (Tensor): ``(R, classes + 1)``.
        is_pseudo (Tensor): ``(R,)``, bool.
    """
    confidence = logits.detach().softmax(-1).max(-1).values
    return torch.where(is_pseudo, confidence, torch.ones_like(confidence))
