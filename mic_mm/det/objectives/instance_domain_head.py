# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch.nn.functional as F
from mmengine.model import ModuleList
from torch import Tensor, nn

from mic_mm.core import RandomDraws
from mic_mm.core.gradient_reversal import scale_gradient
from mic_mm.registry import MODELS

from .domain_head_checks import check_head


@MODELS.register_module()
class InstanceDomainHead(nn.Module):
    r"""Tells source from target by the features of regions of interest.

    Each level of the pyramid has three linear layers of its own for the
    regions that are read from it (SADA, sec. 3.3).  The loss is the mean
    binary cross-entropy over all regions, with label 1 for those of source
    images.

    Random numbers (see :class:`RandomDraws`), per call with name ``run``:
    ``<run>.level<l>.dropout1`` and ``…dropout2``, (regions of level l,
    ``hidden_dim``) in [0, 1); a unit is kept where the number is at least
    ``dropout``.

    Args:
        in_features (int): Length of the features.
        num_levels (int): Number of levels the regions are read from.
        hidden_dim (int): Width of the two hidden layers. Defaults to 1024,
            as in SADA.
        gradient_scale (float): Factor :math:`\lambda` of the reversed
            gradient that reaches the features. Defaults to 0.1, as in SADA
            and MIC.
        dropout (float): Probability with which a hidden unit is switched
            off in training. Defaults to 0.5, as in SADA.
        first_level_only (bool): Only regions of level 0, the finest, are
            classified; the others have logit 0, which adds a constant to the
            loss and no gradient. The published code of SADA and MIC does so,
            by a ``return`` inside of the loop over the levels: True equals
            it. Defaults to False, what the paper describes.
        init_std (float): Standard deviation of the initial weights. Defaults
            to 0.01, as in SADA.

    Raises:
        ValueError: If a size is not positive, ``gradient_scale`` is negative
            or ``dropout`` lies outside [0, 1).
    """

    def __init__(self,
                 in_features: int,
                 num_levels: int,
                 hidden_dim: int = 1024,
                 gradient_scale: float = 0.1,
                 dropout: float = 0.5,
                 first_level_only: bool = False,
                 init_std: float = 0.01) -> None:
        super().__init__()
        check_head('instance_head', gradient_scale, hidden_dim=hidden_dim)
        if not 0 <= dropout < 1:
            raise ValueError('DomainAdversarialDetection: instance_head.'
                             f'dropout={dropout} lies outside [0, 1).')
        self.gradient_scale = gradient_scale
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.first_level_only = first_level_only
        # All levels, also where one alone is used: the names of a checkpoint
        # do not depend on it.
        self.levels = ModuleList(
            _LevelClassifier(in_features, hidden_dim, init_std)
            for _ in range(num_levels))

    def forward(self, features: Tensor, levels: Tensor, factor: float,
                draws: RandomDraws) -> Tensor:
        """Logits of belonging to the source.

        Args:
            features (Tensor): (R, D).
            levels (Tensor): Level of each region, (R, ).
            factor (float): Factor of the gradient of the features.
            draws (RandomDraws): Draws of this call.

        Returns:
            Tensor: (R, ).
        """
        features = scale_gradient(features, factor)
        logits = features.new_zeros(len(features))
        count = 1 if self.first_level_only else len(self.levels)
        for index, classifier in enumerate(self.levels[:count]):
            # Also without any region: its gradient is then zero, not missing.
            chosen = (levels == index).nonzero().squeeze(1)
            masks = self._masks(
                draws.scoped(f'level{index}'), len(chosen), features)
            logits = logits.index_put((chosen, ),
                                      classifier(features[chosen], *masks))
        return logits

    def _masks(self, draws: RandomDraws, count: int,
               like: Tensor) -> list[Optional[Tensor]]:
        if not self.training or self.dropout == 0:
            return [None, None]
        # Ranks differ in the number of regions, not in the names: a table
        # for all ranks gives each rank its own rows.
        drawn = [
            draws.uniform_per_sample(name, count, self.hidden_dim)
            for name in ('dropout1', 'dropout2')
        ]
        return [(numbers.to(like.device) >= self.dropout).to(like) /
                (1 - self.dropout) for numbers in drawn]


class _LevelClassifier(nn.Module):

    def __init__(self, in_features: int, hidden_dim: int,
                 init_std: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, hidden_dim)
        self.fc3 = nn.Linear(hidden_dim, 1)
        for layer in (self.fc1, self.fc2, self.fc3):
            nn.init.normal_(layer.weight, std=init_std)
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor, mask1: Optional[Tensor],
                mask2: Optional[Tensor]) -> Tensor:
        hidden = _masked(F.relu(self.fc1(features)), mask1)
        hidden = _masked(F.relu(self.fc2(hidden)), mask2)
        return self.fc3(hidden).squeeze(1)


def _masked(hidden: Tensor, mask: Optional[Tensor]) -> Tensor:
    return hidden if mask is None else hidden * mask
