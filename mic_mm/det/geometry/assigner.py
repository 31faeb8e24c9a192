# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
from mmdet.models.task_modules import AssignResult, MaxIoUAssigner
from mmdet.structures.bbox import get_box_tensor
from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .inclusive_boxes import box_overlaps


@TASK_UTILS.register_module()
class InclusiveOverlaps2D:
    """Overlaps of boxes in inclusive pixel coordinates, for assigners."""

    def __call__(self, bboxes1, bboxes2, mode: str = 'iou') -> Tensor:
        """See :func:`box_overlaps`."""
        return box_overlaps(
            get_box_tensor(bboxes1), get_box_tensor(bboxes2), mode)


@TASK_UTILS.register_module()
class OwnBestAssigner(MaxIoUAssigner):
    """Low-quality matches that keep the ground truth an anchor fits best.

    Every anchor that attains the best IoU any anchor has with some ground
    truth becomes positive, however low that IoU is.  MMDetection assigns it
    to *that* ground truth; maskrcnn-benchmark, and this class, to the ground
    truth with which *the anchor* has its best IoU.

    Args:
        pos_iou_thr (float): An anchor with at least this IoU is positive.
        neg_iou_thr (float): An anchor with less is background.
        match_low_quality (bool): Whether to do the above. Defaults to True.
        iou_calculator (dict): Defaults to ``mic_mm.InclusiveOverlaps2D``.
        **kwargs: See MMDetection's ``MaxIoUAssigner``.
    """

    def __init__(self,
                 pos_iou_thr: float,
                 neg_iou_thr: float,
                 match_low_quality: bool = True,
                 iou_calculator: dict = dict(
                     type='mic_mm.InclusiveOverlaps2D'),
                 **kwargs) -> None:
        super().__init__(
            pos_iou_thr,
            neg_iou_thr,
            match_low_quality=False,
            iou_calculator=iou_calculator,
            **kwargs)
        self.keep_low_quality = match_low_quality

    def assign_wrt_overlaps(self, overlaps: Tensor,
                            gt_labels: Tensor) -> AssignResult:
        """Assign anchors by an IoU matrix ``(ground truths, anchors)``."""
        result = super().assign_wrt_overlaps(overlaps, gt_labels)
        if not self.keep_low_quality or overlaps.numel() == 0:
            return result
        best_of_gt = overlaps.max(dim=1, keepdim=True).values
        restored = (overlaps == best_of_gt).any(dim=0)
        own_best = overlaps.argmax(dim=0)
        result.gt_inds = torch.where(restored, own_best + 1, result.gt_inds)
        result.labels = torch.where(restored, gt_labels[own_best],
                                    result.labels)
        return result
