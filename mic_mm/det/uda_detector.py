# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.registry import MODELS


@MODELS.register_module()
class UDADetector(UDAModel):
    """Unsupervised domain adaptation of any detector of MMDetection.

    The teacher of a detector predicts in evaluation mode and averages the
    buffers too, unless ``teacher`` says otherwise.

    Args:
        detector (dict | nn.Module): The detector.
        objectives (dict): See :class:`UDAModel`.
        **kwargs: See :class:`UDAModel`.
    """

    task_scope = 'mmdet'
    default_labeller = dict(type='mic_mm.BoxLabeller')
    teacher_defaults = dict(mode='eval', average='state')

    def __init__(self, detector: dict | nn.Module, objectives: dict,
                 **kwargs) -> None:
        super().__init__(detector, objectives, **kwargs)

    def weighted_loss(self, student: nn.Module,
                      images: LabelledImages) -> dict:
        """The detector's losses on the images whose weight is not 0.

        An image left out does not count in the mean: on several ranks the
        losses are scaled such that each remaining image counts the same.
        """
        if not any('loss_weight' in s for s in images.data_samples):
            return student.loss(images.inputs, images.data_samples)
        kept = [
            index for index, sample in enumerate(images.data_samples)
            if sample.get('loss_weight', 1.) > 0
        ]
        scale = _share_of_ranks(len(kept))
        if not kept:
            return {}
        losses = student.loss(images.inputs[kept],
                              [images.data_samples[i] for i in kept])
        return losses if scale == 1 else _scaled(losses, scale)


def _share_of_ranks(kept: int) -> float:
    """Images kept here over the mean number of images kept per rank."""
    if get_world_size() == 1:
        return 1.
    mean = torch.tensor(float(kept))
    all_reduce(mean, op='mean')
    return kept / max(float(mean), 1e-6)


def _scaled(losses: dict, scale: float) -> dict:
    return {
        name: value if 'loss' not in name else
        [v * scale for v in value] if isinstance(value, list) else value * scale
        for name, value in losses.items()
    }
