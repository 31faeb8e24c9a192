# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
from mmcv.transforms import BaseTransform
from mmdet.structures.bbox import HorizontalBoxes

from mic_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class InclusiveBoxes(BaseTransform):
    """Ground truth in inclusive coordinates, for SADA's Faster R-CNN.

    The box of an annotation ``(x, y, w, h)`` ends at its last pixel,
    ``x + w - 1``; scaling and flipping then act on pixels, so that a flip
    maps 0 to the last column.  MMDetection's transforms act on ends, ``x +
    w``: this one, which comes after ``Resize`` and ``RandomFlip``, replaces
    their result by what pixels give.

    Use it with the heads of ``mic_mm.SADARPNHead`` and
    ``mic_mm.SADARoIHead`` alone.  Their predictions for evaluation have
    MMDetection's convention.

    Required keys: ``gt_bboxes``, ``scale_factor`` (optional), ``flip``
    (optional), ``flip_direction`` (if flipped).

    Modified keys: ``gt_bboxes``.
    """

    def transform(self, results: dict) -> dict:
        """Shift the boxes of a sample."""
        scales = results.get('scale_factor', (1., 1.))
        direction = results['flip_direction'] if results.get('flip') else ''
        flipped = (direction in ('horizontal', 'diagonal'),
                   direction in ('vertical', 'diagonal'))
        shifts = [
            (scale - 1, -1.) if is_flipped else (0., -scale)
            for scale, is_flipped in zip(scales, flipped)
        ]
        (x1, x2), (y1, y2) = shifts
        boxes = results['gt_bboxes']
        if not isinstance(boxes, HorizontalBoxes):
            raise TypeError(
                f'InclusiveBoxes: gt_bboxes are {type(boxes).__name__}, not '
                'HorizontalBoxes. Place it after LoadAnnotations(with_bbox='
                "True, box_type='hbox').")
        tensor = boxes.tensor + torch.tensor([x1, y1, x2, y2],
                                             dtype=boxes.tensor.dtype)
        return dict(results, gt_bboxes=HorizontalBoxes(tensor))
