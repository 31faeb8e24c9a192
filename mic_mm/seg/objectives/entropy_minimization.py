# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import math

from torch import Tensor

from mic_mm.core import Objective
from mic_mm.registry import MODELS

from .target_logits import target_logits

# Keeps the logarithm of a vanishing probability finite; part of the definition.
_EPS = 1e-30


@MODELS.register_module()
class EntropyMinimization(Objective):
    r"""The entropy of the student's predictions on target images.

    .. math::
        L = -\lambda\, \frac{1}{BHW \log_2 C}
        \sum_{i,c} p_{i,c} \log_2 (p_{i,c} + 10^{-30})

    (MinEnt of ADVENT, Vu et al. 2019, eq. 2 and 3).

    Args:
        weight (float): :math:`\lambda`. Defaults to 0.001, as in ADVENT.
        **kwargs: See :class:`Objective`.
    """

    needs_target = True

    def __init__(self, weight: float = 1e-3, **kwargs) -> None:
        super().__init__(weight=weight, **kwargs)

    def loss(self, batch, student, teacher):
        return dict(loss_entropy=mean_entropy(target_logits(batch, student)))


def mean_entropy(logits: Tensor) -> Tensor:
    """Mean entropy of pixels in units of its maximum, in [0, 1] (0-dim).

    Args:
        logits (Tensor): (B, C, H, W).
    """
    probabilities = logits.float().softmax(dim=1)
    entropy = -(probabilities * (probabilities + _EPS).log2()).sum(dim=1)
    return entropy.mean() / math.log2(logits.shape[1])
