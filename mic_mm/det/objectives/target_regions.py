# Copyright (c) mic_mm authors. All rights reserved.
"""Regions of the target images, for which there is no ground truth."""
from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.structures.bbox import bbox2roi
from torch import Tensor, nn

from mic_mm.core import RandomDraws


@torch.no_grad()
def target_regions(detector: nn.Module, features: Sequence[Tensor],
                   data_samples: Sequence, draws: RandomDraws) -> Tensor:
    """Draw regions from proposals and boxes, as many as the head trains on.

    Random numbers: ``target_regions``, (images, largest number of candidates)
    in [0, 1); the regions with the smallest are taken.

    Args:
        detector (nn.Module): A two-stage detector.
        features (Sequence[Tensor]): Levels of the target images.
        data_samples (Sequence): Their meta information and boxes.
        draws (RandomDraws): Where the random numbers come from.

    Returns:
        Tensor: Index of the image and box, (R, 5).
    """
    rpn = detector.rpn_head
    cfg = detector.train_cfg.get('rpn_proposal', detector.test_cfg.rpn)
    proposals = rpn.predict_by_feat(
        *rpn(features),
        batch_img_metas=[sample.metainfo for sample in data_samples],
        cfg=cfg)
    candidates = [
        torch.cat([found.bboxes, sample.gt_instances.bboxes])
        for found, sample in zip(proposals, data_samples)
    ]
    # Not all samplers limit the number.
    count = getattr(detector.roi_head.bbox_sampler, 'num', None)
    numbers = draws.uniform_per_sample('target_regions', len(candidates),
                                       max(map(len, candidates)))
    return bbox2roi([
        boxes[row[:len(boxes)].argsort()[:count].to(boxes.device)]
        for boxes, row in zip(candidates, numbers)
    ])
