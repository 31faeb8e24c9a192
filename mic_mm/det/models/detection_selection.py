# Copyright (c) mic_mm authors. All rights reserved.
"""Which RoIs become detections."""
from __future__ import annotations

import torch
from mmcv.ops import batched_nms
from mmengine.structures import InstanceData
from torch import Tensor


def select_detections(boxes: Tensor, scores: Tensor, cfg) -> InstanceData:
    """Detections of one image, class by class, in the order of the RoIs.

    Boxes of a class with a score above ``score_thr`` undergo non-maximum
    suppression; the best ``max_per_img`` of all classes remain, and with them
    every box whose score equals the last one's.

    Args:
        boxes (Tensor): A box for each class, ``(R, classes, 4)``.
        scores (Tensor): ``(R, classes)``, without background.
        cfg (ConfigDict): ``score_thr``, ``nms`` and ``max_per_img``; -1 for
            no limit.

    Returns:
        InstanceData: ``bboxes``, ``scores`` and ``labels``.
    """
    detections = InstanceData.cat([
        _of_class(boxes[:, label], scores[:, label], label, cfg)
        for label in range(scores.shape[1])
    ])
    surplus = len(detections) - cfg['max_per_img']
    if cfg['max_per_img'] <= 0 or surplus <= 0:
        return detections
    last = detections.scores.kthvalue(surplus + 1).values
    return detections[detections.scores >= last]


def _of_class(boxes: Tensor, scores: Tensor, label: int, cfg) -> InstanceData:
    above = scores > cfg['score_thr']
    boxes, scores = boxes[above], scores[above]
    if len(boxes):
        # A call per class: mmcv tells classes apart by shifting the boxes,
        # whose rounding may decide differently.
        _, kept = batched_nms(
            boxes, scores, scores, cfg['nms'], class_agnostic=True)
        kept = kept.sort().values
        boxes, scores = boxes[kept], scores[kept]
    return InstanceData(
        bboxes=boxes,
        scores=scores,
        labels=torch.full_like(scores, label, dtype=torch.long))
