# Copyright (c) mic_mm authors. All rights reserved.
"""Which anchors become proposals."""
from __future__ import annotations

import torch
from mmcv.ops import batched_nms
from mmengine.structures import InstanceData
from torch import Tensor

from mic_mm.det.geometry.inclusive_boxes import box_sizes


def select_of_level(scores: Tensor, deltas: Tensor, anchors: Tensor,
                    bbox_coder, image_shape: tuple[int, ...],
                    cfg) -> InstanceData:
    """Proposals of one level of one image, best first.

    The best ``nms_pre`` anchors are decoded and clipped; of what non-maximum
    suppression leaves, the best ``nms_post`` remain.

    Args:
        scores (Tensor): Objectness probabilities, ``(A,)``.
        deltas (Tensor): ``(A, 4)``.
        anchors (Tensor): ``(A, 4)``.
        bbox_coder: Coder of ``deltas``.
        image_shape (tuple[int, ...]): Height and width, without padding.
        cfg (ConfigDict): ``nms_pre``, ``nms``, and optionally ``nms_post``
            and ``min_bbox_size``.

    Returns:
        InstanceData: ``bboxes`` and ``scores``.
    """
    scores, order = scores.topk(_limit(cfg.get('nms_pre', -1), len(scores)))
    boxes = bbox_coder.decode(
        anchors[order], deltas[order], max_shape=image_shape)
    widths, heights = box_sizes(boxes)
    smallest = cfg.get('min_bbox_size', 0)
    large = (widths >= smallest) & (heights >= smallest)
    boxes, scores = boxes[large], scores[large]
    if len(boxes):
        # A call per level: mmcv tells levels apart by shifting the boxes,
        # whose rounding may decide differently.
        _, kept = batched_nms(
            boxes, scores, scores, cfg['nms'], class_agnostic=True)
        kept = kept[:_limit(cfg.get('nms_post', -1), len(kept))]
        boxes, scores = boxes[kept], scores[kept]
    return InstanceData(bboxes=boxes, scores=scores)


def keep_best_of_image(proposals: InstanceData, number: int) -> InstanceData:
    """The best ``number`` proposals, best first; -1 for all, unsorted."""
    if number <= 0:
        return proposals
    number = _limit(number, len(proposals))
    return proposals[proposals.scores.topk(number).indices]


def keep_best_of_batch(proposals: list[InstanceData],
                       number: int) -> list[InstanceData]:
    """The best ``number`` proposals of all images together, order kept.

    An image with low scores may keep fewer than its share, or none.
    """
    scores = torch.cat([image.scores for image in proposals])
    best = torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
    best[scores.topk(_limit(number, len(scores))).indices] = True
    flags = best.split([len(image) for image in proposals])
    return [image[flag] for image, flag in zip(proposals, flags)]


def _limit(number: int, available: int) -> int:
    return min(number, available) if number > 0 else available
