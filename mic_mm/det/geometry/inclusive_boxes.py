# Copyright (c) mic_mm authors. All rights reserved.
"""Boxes whose corners are the first and the last pixel that belongs to them.

In this convention, maskrcnn-benchmark's, a box ``(x1, y1, x2, y2)`` is
``x2 - x1 + 1`` wide; in MMDetection's it is ``x2 - x1`` wide.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor

# A predicted side is at most 1000/16 times that of its anchor.
LARGEST_LOG_RATIO = math.log(1000. / 16)


def box_sizes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Widths and heights of boxes of shape ``(..., 4)``."""
    return (boxes[..., 2] - boxes[..., 0] + 1,
            boxes[..., 3] - boxes[..., 1] + 1)


def box_area(boxes: Tensor) -> Tensor:
    """Areas of boxes of shape ``(..., 4)``."""
    widths, heights = box_sizes(boxes)
    return widths * heights


def box_overlaps(boxes1: Tensor, boxes2: Tensor, mode: str = 'iou') -> Tensor:
    """Overlap of every box with every other.

    Args:
        boxes1 (Tensor): ``(M, 4)``.
        boxes2 (Tensor): ``(N, 4)``.
        mode (str): ``'iou'``, intersection over union, or ``'iof'``,
            intersection over the area of ``boxes1``. Defaults to ``'iou'``.

    Returns:
        Tensor: ``(M, N)``.
    """
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[:, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[:, 2:])
    sides = (bottom_right - top_left + 1).clamp(min=0)
    intersection = sides[..., 0] * sides[..., 1]
    area1 = box_area(boxes1)[:, None]
    if mode == 'iof':
        return intersection / area1
    return intersection / (area1 + box_area(boxes2) - intersection)


def clip_boxes(boxes: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Clip boxes ``(..., 4)`` to the pixels of an image ``(H, W)``."""
    height, width = image_shape[:2]
    last = boxes.new_tensor([width - 1, height - 1, width - 1, height - 1])
    return boxes.clamp(min=0).minimum(last)


def encode_boxes(anchors: Tensor, boxes: Tensor) -> Tensor:
    r"""What has to be added to anchors to obtain boxes.

    .. math::
        \left(\frac{x - x_a}{w_a}, \frac{y - y_a}{h_a},
              \log\frac{w}{w_a}, \log\frac{h}{h_a}\right)

    (Faster R-CNN, eq. 2), with :math:`x = x_1 + w/2`.

    Args:
        anchors (Tensor): ``(N, 4)``.
        boxes (Tensor): ``(N, 4)``.

    Returns:
        Tensor: ``(N, 4)``.
    """
    anchor_w, anchor_h = box_sizes(anchors)
    anchor_x = anchors[:, 0] + 0.5 * anchor_w
    anchor_y = anchors[:, 1] + 0.5 * anchor_h
    box_w, box_h = box_sizes(boxes)
    box_x = boxes[:, 0] + 0.5 * box_w
    box_y = boxes[:, 1] + 0.5 * box_h
    return torch.stack([(box_x - anchor_x) / anchor_w,
                        (box_y - anchor_y) / anchor_h,
                        torch.log(box_w / anchor_w),
                        torch.log(box_h / anchor_h)], -1)


def decode_boxes(anchors: Tensor, deltas: Tensor) -> Tensor:
    """The reverse of :func:`encode_boxes`, for K boxes per anchor.

    Growth is limited by :data:`LARGEST_LOG_RATIO`; shrinkage is not.

    Args:
        anchors (Tensor): ``(N, 4)``.
        deltas (Tensor): ``(N, K, 4)``.

    Returns:
        Tensor: ``(N, K, 4)``.
    """
    widths, heights = (side[:, None] for side in box_sizes(anchors))
    center_x = anchors[:, 0:1] + 0.5 * widths
    center_y = anchors[:, 1:2] + 0.5 * heights
    dx, dy, dw, dh = deltas.unbind(-1)
    center_x, center_y = dx * widths + center_x, dy * heights + center_y
    widths = dw.clamp(max=LARGEST_LOG_RATIO).exp() * widths
    heights = dh.clamp(max=LARGEST_LOG_RATIO).exp() * heights
    return torch.stack([
        center_x - 0.5 * widths, center_y - 0.5 * heights,
        center_x + 0.5 * widths - 1, center_y + 0.5 * heights - 1
    ], -1)


def full_image_box(image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The box that SADA gives an image without labels, ``(x1, y1, x2, y2)``.

    It takes the last pixel for a size, hence ends one pixel early.
    """
    height, width = image_shape[:2]
    return (0, 0, width - 2, height - 2)


def to_image_boxes(boxes: Tensor, scale_factor: tuple[float, float]) -> Tensor:
    """Boxes of the resized image as MMDetection's boxes in the original one.

    The corners are scaled, and then the last pixel of a box becomes its end:
    COCO's evaluation takes ``x2 - x1`` for the width.

    Args:
        boxes (Tensor): ``(..., 4)``, inclusive.
        scale_factor (tuple[float, float]): By how much width and height were
            scaled.

    Returns:
        Tensor: ``(..., 4)``.
    """
    scales = boxes.new_tensor(scale_factor).repeat(2)
    return boxes / scales + boxes.new_tensor([0, 0, 1, 1])
