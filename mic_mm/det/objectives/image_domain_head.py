# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import ModuleList
from torch import Tensor, nn

from mic_mm.core.gradient_reversal import scale_gradient
from mic_mm.registry import MODELS

from .domain_head_checks import check_head


@MODELS.register_module()
class ImageDomainHead(nn.Module):
    r"""Tells source from target at every place of every feature map.

    Each level :math:`l` has a classifier :math:`D_l` of its own, two
    convolutions of 1x1 (SADA, Chen et al., "Scale-Aware Domain Adaptive
    Faster R-CNN", IJCV 2021, sec. 3.3).  The loss is

    .. math::
        L_{img} = \frac{1}{L} \sum_l \mathrm{mean}\;
        \mathrm{BCE}\big(\mathrm{up}(D_l(F_l)),\; d\big)

    with :math:`d = 1` for source and 0 for target images, and all logit maps
    enlarged to the finest level, so that each level counts the same.

    Args:
        in_channels (Sequence[int]): Channels of each level.
        hidden_dim (int): Width of the hidden layer. Defaults to 512, as in
            SADA.
        gradient_scale (float): Factor :math:`\lambda` of the reversed
            gradient that reaches the features; the classifiers learn with
            factor 1. Defaults to 0.025, MIC's value for Cityscapes to Foggy
            Cityscapes (0.01 in SADA for Sim10k to Cityscapes).
        init_std (float): Standard deviation of the initial weights. Defaults
            to 0.001, as in SADA.

    Raises:
        ValueError: If a size is not positive or ``gradient_scale`` is
            negative.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 hidden_dim: int = 512,
                 gradient_scale: float = 0.025,
                 init_std: float = 0.001) -> None:
        super().__init__()
        check_head('image_head', gradient_scale, hidden_dim=hidden_dim)
        self.gradient_scale = gradient_scale
        self.levels = ModuleList(
            _LevelClassifier(channels, hidden_dim, init_std)
            for channels in in_channels)

    def forward(self, features: Sequence[Tensor],
                factor: float) -> list[Tensor]:
        """Logits of belonging to the source.

        Args:
            features (Sequence[Tensor]): (B, C_l, H_l, W_l) each.
            factor (float): Factor of the gradient of the features.

        Returns:
            list[Tensor]: (B, 1, H_l, W_l) each.
        """
        return [
            classifier(scale_gradient(level, factor))
            for classifier, level in zip(self.levels, features)
        ]


def image_domain_loss(logits: Sequence[Tensor],
                      is_source: Tensor) -> Tensor:
    """:math:`L_{img}` of :class:`ImageDomainHead`.

    Args:
        logits (Sequence[Tensor]): (B, 1, H_l, W_l) each, finest first.
        is_source (Tensor): 1 for source and 0 for target images, (B, ).
    """
    size = logits[0].shape[-2:]
    labels = is_source.view(-1, 1, 1, 1).expand(-1, 1, *size)
    losses = [
        F.binary_cross_entropy_with_logits(
            F.interpolate(
                level, size=size, mode='bilinear', align_corners=True),
            labels) for level in logits
    ]
    return sum(losses) / len(losses)


class _LevelClassifier(nn.Module):

    def __init__(self, in_channels: int, hidden_dim: int,
                 init_std: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_dim, 1)
        self.conv2 = nn.Conv2d(hidden_dim, 1, 1)
        for layer in (self.conv1, self.conv2):
            nn.init.normal_(layer.weight, std=init_std)
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> Tensor:
        return self.conv2(F.relu(self.conv1(features)))
