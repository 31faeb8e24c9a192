# Copyright (c) mic_mm authors. All rights reserved.
"""Fusion of the predictions of both scales."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmseg.models.utils import resize
from torch import Tensor

from .box import Box, Size
from .windows import merge_windows


@dataclass
class ScaleFeatures:
    """Features of both scales.

    Attributes:
        context (Sequence[Tensor]): The backbone's stages of the
            low-resolution images.
        detail (Sequence[Tensor]): Those of the high-resolution windows,
            (len(boxes) * B, C, h, w).
        boxes (Sequence[Box]): The windows, in pixels of the image.
        image (tuple[int, int]): Height and width of the image in pixels.
        context_image (tuple[int, int]): Those of the low-resolution image.
        chunk (int, optional): Windows that the head sees at a time; None for
            all.
    """

    context: Sequence[Tensor]
    detail: Sequence[Tensor]
    boxes: Sequence[Box]
    image: Size
    context_image: Size
    chunk: int | None = None


@dataclass
class ScaleLogits:
    """Predictions of both scales and their fusion.

    h, w is the resolution of the context logits, H, W that of the detail.

    Attributes:
        fused (Tensor): (B, C, H, W).
        context (Tensor): Of the low resolution, (B, C, h, w).
        scaled_context (Tensor): Context times one minus the attention.
        detail (Tensor): Of the high resolution, 0 where no window is,
            (B, C, H, W).
        windows (Tensor): Of each window, (len(boxes) * B, C, h', w').
        attention (Tensor): Share of the detail, 0 where no window is,
            (B, C or 1, H, W).
        boxes (Sequence[Box]): The windows, in pixels of the image.
    """

    fused: Tensor
    context: Tensor
    scaled_context: Tensor
    detail: Tensor
    windows: Tensor
    attention: Tensor
    boxes: Sequence[Box]


def fuse_scales(context: Tensor,
                windows: Tensor,
                attention: Tensor,
                boxes: Sequence[Box],
                image: Size,
                align_corners: bool = False) -> ScaleLogits:
    r"""Fuse context and detail (HRDA, eq. 7 to 9).

    .. math::
        z = \uparrow\!\big((1 - a) \odot z_{LR}\big)
        + \uparrow\!(a) \odot \mathrm{pad}(z_{HR})

    :math:`a` is 0 outside of the windows, :math:`\uparrow` enlarges
    bilinearly to the detail's resolution.  The context is weighted *before*
    it is enlarged; the other order differs at the border of the crop.

    Args:
        context (Tensor): :math:`z_{LR}`, (B, C, h, w).
        windows (Tensor): :math:`z_{HR}`, (len(boxes) * B, C, h', w').
            Overlapping windows are averaged.
        attention (Tensor): (B, C or 1, h, w), in [0, 1].
        boxes (Sequence[Box]): The windows, in pixels of the image.
        image (tuple[int, int]): Height and width of the image in pixels.
        align_corners (bool): For enlarging. Defaults to False.

    Raises:
        ValueError: If image or windows do not divide into the detail's
            cells.
    """
    context, windows, attention = map(_full_precision,
                                      (context, windows, attention))
    size = detail_size(windows.shape[-2:], boxes[0], image)
    attention = attention * _covered(boxes, image, context)
    scaled_context = (1 - attention) * context

    def enlarge(maps: Tensor) -> Tensor:
        return resize(
            maps, size=size, mode='bilinear', align_corners=align_corners)

    detail = merge_windows(windows, [box.scaled(image, size) for box in boxes],
                           size)
    attention = enlarge(attention)
    fused = attention * detail + enlarge(scaled_context)
    return ScaleLogits(fused, context, scaled_context, detail, windows,
                       attention, boxes)


def detail_size(window_logits: Size, box: Box, image: Size) -> Size:
    """Height and width of the map that the windows' logits are parts of."""
    window = (box.bottom - box.top, box.right - box.left)
    check_cells('the detail crop', window, window_logits)
    cell = tuple(w // n for w, n in zip(window, window_logits))
    size = tuple(side // c for side, c in zip(image, cell))
    check_cells('images', image, size)
    return size


def check_cells(what: str, pixels: Size, cells: Size) -> None:
    """Refuse pixels that do not divide into cells of logits.

    Raises:
        ValueError: If they do not.
    """
    if any(p % c for p, c in zip(pixels, cells)):
        raise ValueError(
            f'HRDA: {what} of {tuple(pixels)} pixels do not divide into the '
            f'{tuple(cells)} cells of their logits. Use sizes (crop_size of '
            'the pipeline, hr_crop_size, test_cfg.crop_size) that at every '
            "scale are multiples of the logits' stride, 4 for a Mix "
            'Transformer and 8 for DeepLabV2.')


def _covered(boxes: Sequence[Box], image: Size, like: Tensor) -> Tensor:
    """1 in the cells of the windows, 0 elsewhere; (1, 1, h, w)."""
    size = like.shape[-2:]
    mask = like.new_zeros((1, 1, *size))
    for box in boxes:
        box.scaled(image, size).crop(mask).fill_(1)
    return mask


def _full_precision(maps: Tensor) -> Tensor:
    half = maps.dtype in (torch.float16, torch.bfloat16)
    return maps.float() if half else maps
