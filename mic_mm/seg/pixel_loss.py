# Copyright (c) mic_mm authors. All rights reserved.
"""The loss of MMSegmentation's heads, without waiting for the device."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import Tensor, nn

from .pixel_weights import loss_heads

_EPS = torch.finfo(torch.float32).eps


def head_loss(head: nn.Module, seg_logits: Tensor,
              batch_data_samples: list) -> dict[str, Tensor]:
    """``head.loss_by_feat``, whose accuracy is computed on the device.

    :meth:`BaseDecodeHead.loss_by_feat` leaves out ignored pixels by indexing
    with a mask, twice per loss; each time the host waits until the device has
    said how many there are.  Losses are the same bit for bit.

    Args:
        head (nn.Module): The head; one with a loss of its own computes it.
        seg_logits (Tensor): (B, C, h, w).
        batch_data_samples (list[SegDataSample]): With ``gt_sem_seg``.
    """
    if not has_library_loss(head):
        return head.loss_by_feat(seg_logits, batch_data_samples)
    labels = head._stack_batch_gt(batch_data_samples)
    seg_logits = resize(
        seg_logits,
        size=labels.shape[2:],
        mode='bilinear',
        align_corners=head.align_corners)
    weight = head.sampler and head.sampler.sample(seg_logits, labels)
    labels = labels.squeeze(1)
    losses: dict[str, Tensor] = {}
    for criterion in _criteria(head):
        value = criterion(
            seg_logits,
            labels,
            weight=weight,
            ignore_index=head.ignore_index)
        name = criterion.loss_name
        losses[name] = losses[name] + value if name in losses else value
    losses['acc_seg'] = pixel_accuracy(seg_logits.detach(), labels,
                                       head.ignore_index)
    return losses


def has_library_loss(head: nn.Module) -> bool:
    """Whether the loss of ``head`` is that of ``BaseDecodeHead``."""
    return (isinstance(head, BaseDecodeHead) and
            type(head).loss_by_feat is BaseDecodeHead.loss_by_feat)


def _criteria(head: nn.Module) -> list[nn.Module]:
    several = isinstance(head.loss_decode, nn.ModuleList)
    return list(head.loss_decode) if several else [head.loss_decode]


def pixel_accuracy(logits: Tensor, labels: Tensor,
                   ignore_index: int) -> Tensor:
    """Percentage of the labelled pixels that are classified correctly, (1, ).

    Args:
        logits (Tensor): (B, C, H, W).
        labels (Tensor): int64, (B, H, W).
        ignore_index (int): Label of pixels that do not count.
    """
    counted = labels != ignore_index
    # On the CPU a third of the time of argmax, a quarter of that of topk.
    predicted = logits.max(dim=1).indices
    correct = (predicted == labels) & counted
    share = (correct.sum().float() + _EPS) / (counted.sum().float() + _EPS)
    return (100 * share)[None]


@contextmanager
def losses_on_device(segmentor: nn.Module) -> Iterator[None]:
    """Let the heads of ``segmentor`` use :func:`head_loss` in the context.

    So do heads within heads, as HRDA's.  One whose ``loss_by_feat`` is set on
    the object is left alone.
    """
    replaced = [
        part for head in loss_heads(segmentor) for part in head.modules()
        if has_library_loss(part) and 'loss_by_feat' not in vars(part)
    ]
    for head in replaced:
        head.loss_by_feat = partial(head_loss, head)  # shadows the method
    try:
        yield
    finally:
        for head in replaced:
            del head.loss_by_feat
