# Copyright (c) mic_mm authors. All rights reserved.
"""Masked image consistency."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor, nn

from mic_mm.registry import MODELS, TASK_UTILS

from ..domain_batch import DomainBatch, LabelledImages
from ..ema_teacher import EMATeacher
from .objective import PseudoLabelObjective

_DOMAINS = ('source', 'target', 'both')


@MODELS.register_module()
class MaskedConsistency(PseudoLabelObjective):
    r"""The student's loss on masked images: masked image consistency (MIC).

    .. math::
        L^M = q\, \ell\big(f_\theta(M \odot x),\; \hat y\big)

    with a random block mask :math:`M`, the teacher's label :math:`\hat y` of
    the *whole* image :math:`x` and its confidence weight :math:`q` (MIC,
    eq. 4).  From what remains visible the student has to infer what the
    teacher saw, that is, it has to use context.

    Args:
        mask (dict): The mask generator, e.g.
            ``dict(type='mic_mm.BlockMask', ratio=0.7, block_size=64)``.
        on (str): Images to mask. ``'target'``, with pseudo-labels (the
            paper's default); ``'source'``, with ground truth; ``'both'``:
            the first half of the source and the first half of the target
            images of the batch (one of each in MIC's batches of two).
            Defaults to ``'target'``.
        color_aug (dict, optional): Colour augmentation before masking, e.g.
            ``dict(type='mic_mm.ColorAugmentation')``. Defaults to None.
        **kwargs: See :class:`PseudoLabelObjective`.

    Raises:
        ValueError: If ``on`` is unknown.
    """

    order = 2

    def __init__(self,
                 mask: dict,
                 on: str = 'target',
                 color_aug: Optional[dict] = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if on not in _DOMAINS:
            raise ValueError(f'MaskedConsistency: on={on!r} is unknown; '
                             f'choose one of {_DOMAINS}.')
        self.on = on
        self.needs_target = on != 'source'
        self.mask = TASK_UTILS.build(mask)
        self.color_aug = TASK_UTILS.build(color_aug) if color_aug else None

    def loss(self, batch: DomainBatch, student: nn.Module,
             teacher: Optional[EMATeacher]) -> dict:
        images = self._select(batch, teacher)
        masked = LabelledImages(
            self._masked_view(images.inputs, batch), images.data_samples)
        batch.record('masked', masked)
        losses = batch.weighted_loss(student, masked)
        if self.needs_target:
            losses.update(self.pseudo_labels(batch, teacher).metrics)
        return losses

    def _select(self, batch: DomainBatch,
                teacher: Optional[EMATeacher]) -> LabelledImages:
        if self.on == 'source':
            return batch.source
        target = self.pseudo_labelled_target(batch, teacher)
        if self.on == 'target':
            return target
        return _halves(batch.source, target)

    def _masked_view(self, images: Tensor, batch: DomainBatch) -> Tensor:
        # Made once where the training step passes over the objectives twice.
        key = f'{self.name}.masked_view'
        if key not in batch.cache:
            batch.cache[key] = self._hide(images, batch)
        return batch.cache[key]

    @torch.no_grad()
    def _hide(self, images: Tensor, batch: DomainBatch) -> Tensor:
        draws = batch.draws.scoped(self.name)
        if self.color_aug is not None:
            images = self.color_aug(images, batch.statistics, draws)
        return self.mask(images, draws)


def _halves(source: LabelledImages, target: LabelledImages) -> LabelledImages:
    if source.inputs.shape[1:] != target.inputs.shape[1:]:
        raise ValueError(
            "MaskedConsistency(on='both') trains on a batch of both domains, "
            f'but source images are {tuple(source.inputs.shape[1:])} and '
            f'target images {tuple(target.inputs.shape[1:])}. Use the same '
            'crop size in both pipelines.')
    count = max(min(len(source), len(target)) // 2, 1)
    return LabelledImages(
        torch.cat([source.inputs[:count], target.inputs[:count]]),
        [*source.data_samples[:count], *target.data_samples[:count]])
