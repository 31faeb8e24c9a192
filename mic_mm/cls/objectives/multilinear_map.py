# Copyright (c) mic_mm authors. All rights reserved.
"""How features and class probabilities are combined for a discriminator."""
from __future__ import annotations

import torch
from torch import Tensor, nn


class MultilinearMap(nn.Module):
    r"""All products of a feature and a class probability.

    .. math::
        T(f, g) = g \otimes f, \qquad T_{c D + d} = g_c f_d

    (CDAN: Long et al., NeurIPS 2018).

    Args:
        feature_dim (int): D.
        num_classes (int): C.
    """

    def __init__(self, feature_dim: int, num_classes: int) -> None:
        super().__init__()
        self.output_dim = feature_dim * num_classes

    def forward(self, features: Tensor, probabilities: Tensor) -> Tensor:
        """Combine (B, D) and (B, C) to (B, C·D)."""
        return (probabilities[:, :, None] * features[:, None, :]).flatten(1)


class RandomizedMultilinearMap(nn.Module):
    r"""Random projections of features and probabilities, multiplied.

    .. math::
        T(f, g) = \frac{1}{\sqrt{d}}\,(f R_f) \odot (g R_g), \qquad
        R_{f,ij}, R_{g,ij} \sim N(0, 1)

    approximates the inner products of :class:`MultilinearMap` with fewer
    dimensions (CDAN).  The matrices are saved with the model:
    the discriminator is trained for them.

    Args:
        feature_dim (int): D.
        num_classes (int): C.
        output_dim (int): d. Defaults to 1024, as in CDAN.
    """

    def __init__(self,
                 feature_dim: int,
                 num_classes: int,
                 output_dim: int = 1024) -> None:
        super().__init__()
        self.output_dim = output_dim
        self.register_buffer('feature_matrix',
                             torch.randn(feature_dim, output_dim))
        self.register_buffer('class_matrix',
                             torch.randn(num_classes, output_dim))

    def forward(self, features: Tensor, probabilities: Tensor) -> Tensor:
        """Combine (B, D) and (B, C) to (B, d)."""
        product = (features @ self.feature_matrix) * (
            probabilities @ self.class_matrix)
        return product / self.output_dim**0.5
