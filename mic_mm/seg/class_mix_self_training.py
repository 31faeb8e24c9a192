# Copyright (c) mic_mm authors. All rights reserved.
"""Self-training on images mixed from both domains."""
from __future__ import annotations

from typing import Optional

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from mic_mm.core import ClassMix, DomainBatch, LabelledImages
from mic_mm.core.objectives import PseudoLabelObjective
from mic_mm.registry import MODELS, TASK_UTILS

from .pixel_weights import stack_pixel_weights


@MODELS.register_module()
class ClassMixSelfTraining(PseudoLabelObjective):
    """Self-training on target images with source classes pasted onto them.

    Half of the source classes are pasted onto the target image, with their
    labels, at weight 1; the rest keeps its pseudo-label and weight (DACS,
    Tranheden et al., 2021).  It is the host of MIC in segmentation.

    Args:
        mix (dict, optional): Config of the mixing. Defaults to None, which
            means ``dict(type='mic_mm.ClassMix')``.
        color_aug (dict, optional): Colour augmentation of the mixed images,
            e.g. ``dict(type='mic_mm.ColorAugmentation', share='sample')``.
            Defaults to None.
        **kwargs: See :class:`PseudoLabelObjective`.
    """

    def __init__(self,
                 mix: Optional[dict] = None,
                 color_aug: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.mix = TASK_UTILS.build(mix) if mix else ClassMix()
        self.color_aug = TASK_UTILS.build(color_aug) if color_aug else None

    def loss(self, batch, student, teacher):
        target = self.pseudo_labelled_target(batch, teacher)
        batch.record('pseudo_label', target)
        mixed = self._mix(batch, target)
        batch.record('mixed', mixed)
        losses = batch.weighted_loss(student, mixed)
        losses.update(self.pseudo_labels(batch, teacher).metrics)
        return losses

    @torch.no_grad()
    def _mix(self, batch: DomainBatch,
             target: LabelledImages) -> LabelledImages:
        draws = batch.draws.scoped(self.name)
        images, labels, weights, _ = self.mix(
            batch.source.inputs, _stack_labels(batch.source), target.inputs,
            _stack_labels(target), stack_pixel_weights(target.data_samples),
            draws)
        if self.color_aug is not None:
            images = self.color_aug(images, batch.statistics, draws)
        samples = [
            _mixed_sample(*item)
            for item in zip(target.data_samples, labels, weights)
        ]
        return LabelledImages(images, samples)


def _stack_labels(images: LabelledImages) -> Tensor:
    return torch.cat([s.gt_sem_seg.data for s in images.data_samples])


def _mixed_sample(target: SegDataSample, label: Tensor,
                  weight: Tensor) -> SegDataSample:
    mixed = SegDataSample(metainfo=target.metainfo)
    mixed.gt_sem_seg = PixelData(data=label[None])
    mixed.loss_weight = PixelData(data=weight[None])
    return mixed
