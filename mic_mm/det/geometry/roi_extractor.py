# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import math
from typing import Optional

import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import Tensor

from mic_mm.registry import MODELS

from .inclusive_boxes import box_area


@MODELS.register_module()
class InclusiveRoIExtractor(SingleRoIExtractor):
    r"""RoI features from the level that fits an inclusive box.

    A box of area :math:`A` belongs to pyramid level

    .. math:: \lfloor 4 + \log_2(\sqrt A / 224 + 10^{-6}) \rfloor

    (FPN, eq. 1), clamped to the levels there are; level :math:`l` has stride
    :math:`2^l`.

    Args:
        featmap_strides (list[int]): Strides of the levels, powers of two.
        **kwargs: See MMDetection's ``SingleRoIExtractor``. For the pooling of
            maskrcnn-benchmark use ``roi_layer=dict(type='RoIAlign',
            output_size=7, sampling_ratio=2, aligned=False)``.
    """

    def forward(self,
                feats: tuple[Tensor],
                rois: Tensor,
                roi_scale_factor: Optional[float] = None) -> Tensor:
        """Pool in float32, also in mixed precision.

        A half-precision coordinate of a large image is off by a pixel.

        Args:
            feats (tuple[Tensor]): ``(B, C, H, W)`` for each level.
            rois (Tensor): ``(R, 5)``: image, x1, y1, x2, y2.
            roi_scale_factor (float, optional): Defaults to None.

        Returns:
            Tensor: ``(R, C, size, size)``, of the type of ``feats``.
        """
        pooled = super().forward(
            tuple(level.float() for level in feats), rois.float(),
            roi_scale_factor)
        return pooled.to(feats[0].dtype)

    def map_roi_levels(self, rois: Tensor, num_levels: int) -> Tensor:
        """Level of each RoI ``(image, x1, y1, x2, y2)``, counted from 0."""
        first_level = int(math.log2(self.featmap_strides[0]))
        side = torch.sqrt(box_area(rois[:, 1:5]))
        level = torch.floor(4 + torch.log2(side / 224 + 1e-6))
        return (level - first_level).clamp(0, num_levels - 1).long()
