# Copyright (c) mic_mm authors. All rights reserved.
"""Per-pixel loss weights on the stock decode heads of MMSegmentation."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Optional

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.structures import SegDataSample
from torch import Tensor, nn


class PixelWeights:
    r"""A pixel sampler that hands out given weights.

    MMSegmentation's heads multiply the loss of each pixel by what
    ``head.sampler.sample`` returns and divide by the number of *all* pixels:

    .. math::
        L = \frac{1}{BHW} \sum_i w_i\, \mathrm{CE}_i

    which is the weighted loss of MIC, on a head that knows nothing of it.

    Args:
        weights (Tensor): Weights of shape (B, H, W).
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def sample(self, seg_logit: Tensor, seg_label: Tensor) -> Tensor:
        """Weights for logits and labels of the same height and width."""
        return self.weights

    def cropped(self, box) -> PixelWeights:
        """The weights inside a :class:`Box`."""
        return PixelWeights(box.crop(self.weights))


def stack_pixel_weights(
        data_samples: list[SegDataSample]) -> Optional[Tensor]:
    """Stack the fields ``loss_weight`` to (B, H, W); None if there are none.

    A data sample without the field weights each pixel 1.
    """
    if not any('loss_weight' in sample for sample in data_samples):
        return None
    return torch.cat([
        sample.loss_weight.data if 'loss_weight' in sample else
        torch.ones_like(sample.gt_sem_seg.data, dtype=torch.float32)
        for sample in data_samples
    ])


@contextmanager
def pixel_weighted(segmentor: nn.Module,
                   weights: Optional[Tensor]) -> Iterator[None]:
    """Weight the pixels in all losses of ``segmentor`` inside the context."""
    with ExitStack() as stack:
        if weights is not None:
            for head in loss_heads(segmentor):
                stack.enter_context(sampling(head, PixelWeights(weights)))
        yield


@contextmanager
def sampling(head: nn.Module, sampler) -> Iterator[None]:
    """Give ``head`` a pixel sampler inside the context."""
    previous = head.sampler
    head.sampler = sampler
    try:
        yield
    finally:
        head.sampler = previous


def loss_heads(segmentor: nn.Module) -> list[nn.Module]:
    """The decode and auxiliary heads of a segmentor."""
    heads: list[nn.Module] = []
    for name in ('decode_head', 'auxiliary_head'):
        head = getattr(segmentor, name, None)
        if head is not None:
            heads += head if isinstance(head, nn.ModuleList) else [head]
    return heads


def check_weightable(head: nn.Module) -> None:
    """Refuse a head whose loss ignores the weights.

    Raises:
        TypeError: If the head replaces the loss of ``BaseDecodeHead``.
        ValueError: If the head has a pixel sampler of its own.
    """
    name = type(head).__name__
    if getattr(head, 'supports_pixel_weights', False):
        return
    if (not isinstance(head, BaseDecodeHead)
            or type(head).loss_by_feat is not BaseDecodeHead.loss_by_feat
            or type(head).loss is not BaseDecodeHead.loss):
        raise TypeError(
            f'The head {name} computes its loss in its own way, which cannot '
            'weight pixels by the confidence of pseudo-labels. Use a head '
            'with the loss of BaseDecodeHead (FCNHead, ASPPHead, '
            'SegformerHead, UPerHead, ...), or give it a loss that multiplies '
            'by self.sampler.sample(...) and the class attribute '
            'supports_pixel_weights = True.')
    if head.sampler is not None:
        raise ValueError(
            f'The head {name} has a pixel sampler '
            f'({type(head.sampler).__name__}), which pseudo-label weights '
            'would replace. Remove `sampler` from the head.')
