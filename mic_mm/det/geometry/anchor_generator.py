# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from mmdet.models.task_modules import AnchorGenerator
from torch import Tensor

from mic_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class QuantizedAnchorGenerator(AnchorGenerator):
    r"""Anchors whose sides are rounded at the scale of the stride.

    With stride :math:`s`, height-to-width ratio :math:`r` and scale
    :math:`k`, an anchor has the sides

    .. math:: w = k\,[s/\sqrt r], \qquad h = k\,[r\,[s/\sqrt r]]

    with :math:`[\cdot]` rounding to an integer, around the centre
    :math:`(s-1)/2` of the cell, in inclusive pixel coordinates.  These are
    maskrcnn-benchmark's anchors, which MMDetection's ``AnchorGenerator``
    (not rounded) and ``LegacyAnchorGenerator`` (rounded after scaling) do
    not reproduce; weights trained with one are a few pixels off with the
    other.

    Args:
        strides (list[int]): Strides of the levels.
        ratios (list[float]): Height-to-width ratios.
        scales (list[int]): Sides of an anchor in strides; ``[8]`` for
            32 to 512 pixels at strides 4 to 64.
        **kwargs: See MMDetection's ``AnchorGenerator``.
    """

    def gen_single_level_base_anchors(
            self,
            base_size: int | float,
            scales: Tensor,
            ratios: Tensor,
            center: Optional[tuple[float, float]] = None) -> Tensor:
        """The anchors of a cell of one level, ``(A, 4)``, scale by scale."""
        ratios = ratios.double()
        widths = torch.round(torch.sqrt(base_size**2 / ratios))
        heights = torch.round(widths * ratios)
        widths, heights = ((side[None] * scales.double()[:, None]).flatten()
                           for side in (widths, heights))
        middle = (base_size - 1) / 2
        x, y = (middle, middle) if center is None else center
        return torch.stack([
            x - (widths - 1) / 2, y - (heights - 1) / 2, x + (widths - 1) / 2,
            y + (heights - 1) / 2
        ], -1).float()
