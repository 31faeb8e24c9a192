# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional, Sequence

from mmdet.models.task_modules.coders import BaseBBoxCoder
from torch import Tensor

from mic_mm.registry import TASK_UTILS

from .inclusive_boxes import clip_boxes, decode_boxes, encode_boxes


@TASK_UTILS.register_module()
class InclusiveBoxCoder(BaseBBoxCoder):
    """Boxes as offsets from anchors, in inclusive pixel coordinates.

    The coder of maskrcnn-benchmark.  MMDetection's
    ``LegacyDeltaXYWHBBoxCoder`` is half a pixel off on every side, its
    ``DeltaXYWHBBoxCoder`` has no ``+1`` and limits shrinkage too.

    Args:
        target_stds (Sequence[float]): Codes are divided by it; the reciprocal
            of maskrcnn-benchmark's ``weights``. Defaults to ones, for anchors.
        clip_border (bool): Clip decoded boxes to the pixels of the image.
            Defaults to True.
        **kwargs: See MMDetection's ``BaseBBoxCoder``.
    """

    def __init__(self,
                 target_stds: Sequence[float] = (1., 1., 1., 1.),
                 clip_border: bool = True,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.target_stds = target_stds
        self.clip_border = clip_border

    def encode(self, bboxes: Tensor, gt_bboxes: Tensor) -> Tensor:
        """Codes ``(N, 4)`` of ground truth for anchors, both ``(N, 4)``."""
        codes = encode_boxes(bboxes, gt_bboxes)
        return codes / codes.new_tensor(self.target_stds)

    def decode(self,
               bboxes: Tensor,
               pred_bboxes: Tensor,
               max_shape: Optional[Sequence[int]] = None) -> Tensor:
        """Boxes of codes.

        Args:
            bboxes (Tensor): Anchors, ``(N, 4)``.
            pred_bboxes (Tensor): Codes of K boxes per anchor, ``(N, 4 K)``.
            max_shape (Sequence[int], optional): Height and width of the
                image to clip to. Defaults to None, not to clip.

        Returns:
            Tensor: ``(N, 4 K)``.
        """
        stds = pred_bboxes.new_tensor(self.target_stds)
        deltas = pred_bboxes.unflatten(-1, (-1, 4)) * stds
        boxes = decode_boxes(bboxes, deltas)
        if max_shape is not None and self.clip_border:
            boxes = clip_boxes(boxes, max_shape)
        return boxes.flatten(-2)
