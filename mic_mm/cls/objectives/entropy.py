# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
from torch import Tensor

# Keeps the logarithm finite; part of the published definition.
_EPS = 1e-5


def entropy(probabilities: Tensor) -> Tensor:
    r"""Entropy of each row.

    .. math::
        H_i = -\sum_c p_{ic} \log(p_{ic} + 10^{-5})

    Args:
        probabilities (Tensor): (B, C).

    Returns:
        Tensor: (B, ).
    """
    return -(probabilities * (probabilities + _EPS).log()).sum(dim=1)


@torch.no_grad()
def certainty_weights(probabilities: Tensor) -> Tensor:
    r"""Weights that favour images the classifier is certain about.

    .. math::
        w_i = B\,\frac{1 + e^{-H_i}}{\sum_j (1 + e^{-H_j})}

    They have mean 1 and no gradient (CDAN+E; MCC).

    Args:
        probabilities (Tensor): (B, C).

    Returns:
        Tensor: (B, ).
    """
    weights = 1 + torch.exp(-entropy(probabilities))
    return weights * (len(weights) / weights.sum())
