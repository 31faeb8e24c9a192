# Copyright (c) mic_mm authors. All rights reserved.
"""What the domain classifiers of a detector look at."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class RegionFeatures:
    """Regions of interest of the images of both domains.

    Attributes:
        rois (Tensor): Index of the image and box, (R, 5).
        features (Tensor): What the classification layer of the box head
            sees, (R, D).
        is_source (Tensor): 1 in source and 0 in target images, (R, ).
        extractor (nn.Module): The detector's ``SingleRoIExtractor``.
    """

    rois: Tensor
    features: Tensor
    is_source: Tensor
    extractor: nn.Module

    @property
    def levels(self) -> Tensor:
        """Index of the pyramid level each region is read from, (R, )."""
        count = self.extractor.num_inputs
        if count == 1:
            return self.rois.new_zeros(len(self.rois), dtype=torch.long)
        return self.extractor.map_roi_levels(self.rois, count).long()

    def pool(self, maps: Sequence[Tensor]) -> Tensor:
        """Mean of each region in the map of its level, (R, ).

        Args:
            maps (Sequence[Tensor]): (B, 1, H_l, W_l) each; levels the
                extractor does not read are not used.
        """
        pooled = maps[0].new_zeros(len(self.rois))
        levels = self.levels
        for index, layer in enumerate(self.extractor.roi_layers):
            chosen = (levels == index).nonzero().squeeze(1)
            regions = layer(maps[index], self.rois[chosen])
            pooled = pooled.index_put((chosen, ), regions.mean(dim=(1, 2, 3)))
        return pooled
