# Copyright (c) mic_mm authors. All rights reserved.
"""The domain classifiers of a detector and their losses."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mic_mm.core import RandomDraws

from .domain_inputs import RegionFeatures
from .image_domain_head import ImageDomainHead, image_domain_loss
from .instance_domain_head import InstanceDomainHead

ADVERSARIAL, CONSISTENCY = 'adversarial', 'consistency'


class DomainHeads(nn.Module):
    r"""Classifiers on image and on instance level, and their consistency.

    The consistency term

    .. math::
        L_{cst} = \frac{1}{R} \sum_r \Big|
        \mathrm{mean}\big(\sigma(D_l(F_l))[r]\big) - \sigma(z_r) \Big|

    compares what both classifiers say about a region :math:`r` (Chen et al.,
    "Domain Adaptive Faster R-CNN", CVPR 2018, eq. 7).  It comes from a
    second pass of both, through which gradients reach the features not
    reversed and by ``consistency_scale`` smaller.

    Args:
        image_head (ImageDomainHead, optional): Defaults to None.
        instance_head (InstanceDomainHead, optional): Defaults to None.
        consistency_scale (float, optional): Factor of the consistency term's
            gradient; None switches the term off. Defaults to None.
    """

    def __init__(self,
                 image_head: Optional[ImageDomainHead] = None,
                 instance_head: Optional[InstanceDomainHead] = None,
                 consistency_scale: Optional[float] = None) -> None:
        super().__init__()
        self.image_head = image_head
        self.instance_head = instance_head
        self.consistency_scale = consistency_scale

    def factor(self, head: nn.Module, run: str) -> float:
        """Factor of the gradient that reaches the features of ``head``."""
        if run == ADVERSARIAL:
            return -head.gradient_scale
        return self.consistency_scale * head.gradient_scale

    def forward(self, features: Sequence[Tensor], is_source: Tensor,
                regions: Optional[RegionFeatures],
                draws: RandomDraws) -> dict[str, Tensor]:
        """Compute the losses, and accuracies to log.

        Args:
            features (Sequence[Tensor]): (B, C_l, H_l, W_l) each.
            is_source (Tensor): 1 for source, 0 for target images, (B, ).
            regions (RegionFeatures, optional): For the instance head.
            draws (RandomDraws): For its dropout.

        Returns:
            dict[str, Tensor]: ``image.loss``, ``instance.loss`` and
            ``consistency.loss`` as far as switched on, and the accuracies of
            the classifiers in percent, ``image.accuracy`` and
            ``instance.accuracy``; 50 with as many images of each domain
            means that a classifier cannot tell them apart.
        """
        losses = {}
        if self.image_head is not None:
            logits = self.image_logits(features, ADVERSARIAL)
            losses['image.loss'] = image_domain_loss(logits, is_source)
            losses['image.accuracy'] = torch.stack([
                _accuracy(level, is_source.view(-1, 1, 1, 1))
                for level in logits
            ]).mean()
        if self.instance_head is not None and len(regions.rois):
            logits = self.instance_logits(regions, ADVERSARIAL, draws)
            losses['instance.loss'] = F.binary_cross_entropy_with_logits(
                logits, regions.is_source)
            losses['instance.accuracy'] = _accuracy(logits, regions.is_source)
        if self.consistency_scale is not None and len(regions.rois):
            losses['consistency.loss'] = F.l1_loss(
                *self._two_opinions(features, regions, draws))
        return losses

    def image_logits(self, features: Sequence[Tensor],
                     run: str) -> list[Tensor]:
        """Logit maps of the image head in a run."""
        return self.image_head(features, self.factor(self.image_head, run))

    def instance_logits(self, regions: RegionFeatures, run: str,
                        draws: RandomDraws) -> Tensor:
        """Logits of the instance head in a run, (R, )."""
        return self.instance_head(regions.features, regions.levels,
                                  self.factor(self.instance_head, run),
                                  draws.scoped(run))

    def _two_opinions(self, features: Sequence[Tensor],
                      regions: RegionFeatures,
                      draws: RandomDraws) -> tuple[Tensor, Tensor]:
        read = features[:regions.extractor.num_inputs]
        maps = [
            level.sigmoid() for level in self.image_logits(read, CONSISTENCY)
        ]
        logits = self.instance_logits(regions, CONSISTENCY, draws)
        return regions.pool(maps), logits.sigmoid()


@torch.no_grad()
def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    return 100 * ((logits >= 0) == labels.bool()).float().mean()
