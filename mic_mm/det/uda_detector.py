# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from contextlib import nullcontext
from typing import Optional

import torch
from mmdet.structures import DetDataSample
from mmengine.dist import all_reduce, get_world_size
from mmengine.structures import InstanceData
from torch import nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class UDADetector(UDAModel):
    """Unsupervised domain adaptation of any detector of MMDetection.

    The teacher of a detector predicts in evaluation mode and averages the
    buffers too, unless ``teacher`` says otherwise.

    Args:
        detector (dict | nn.Module): The detector.
        objectives (dict): See :class:`UDAModel`.
        pseudo_weight (dict, optional): How much a sample counts in the
            losses on pseudo-boxes, e.g.
            ``dict(type='mic_mm.StudentConfidence')``. Defaults to None: all
            count the same, unless the heads themselves weight them.
        **kwargs: See :class:`UDAModel`.
    """

    task_scope = 'mmdet'
    default_labeller = dict(type='mic_mm.BoxLabeller')
    teacher_defaults = dict(mode='eval', average='state')

    def __init__(self,
                 detector: dict | nn.Module,
                 objectives: dict,
                 pseudo_weight: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(detector, objectives, **kwargs)
        self.pseudo_weight = (
            TASK_UTILS.build(pseudo_weight) if pseudo_weight else None)

    def weighted_loss(self, student: nn.Module,
                      images: LabelledImages) -> dict:
        """The detector's losses on the images whose weight is not 0.

        An image left out has no part in the mean.  Every rank takes part as
        long as one has an image left, since heads may synchronise their
        normalisation.
        """
        if not any('loss_weight' in s for s in images.data_samples):
            return student.loss(images.inputs, images.data_samples)
        kept = [
            index for index, sample in enumerate(images.data_samples)
            if sample.get('loss_weight', 1.) > 0
        ]
        mean_kept = _mean_over_ranks(len(kept))
        if mean_kept == 0:
            return {}
        scale = len(kept) / mean_kept
        if kept and not _normalizes_per_image(student):
            scale = 1.
        samples = [images.data_samples[index] for index in kept]
        if not kept:
            kept, samples = [0], [_without_objects(images.data_samples[0])]
        with self._weighting(student, images.data_samples):
            losses = student.loss(images.inputs[kept], samples)
        return losses if scale == 1 else _scaled(losses, scale)

    def _weighting(self, student: nn.Module, samples: list):
        if self.pseudo_weight is None:
            return nullcontext()
        if not all(sample.get('is_pseudo', False) for sample in samples):
            raise ValueError(
                'model.pseudo_weight weights whole batches of pseudo-labelled '
                "images, but this one has source images too. Set on='target' "
                'in mic_mm.MaskedConsistency, or model.pseudo_weight=None.')
        return self.pseudo_weight(student)


def _without_objects(sample: DetDataSample) -> DetDataSample:
    empty = DetDataSample(metainfo=sample.metainfo)
    empty.gt_instances = sample.gt_instances[:0]
    empty.ignored_instances = InstanceData(
        bboxes=sample.gt_instances.bboxes[:0])
    return empty


def _mean_over_ranks(count: int) -> float:
    if get_world_size() == 1:
        return count
    mean = torch.tensor(float(count))
    all_reduce(mean, op='mean')
    return float(mean)


def _normalizes_per_image(student: nn.Module) -> bool:
    """Whether the losses are means over a number of samples per image.

    Two-stage detectors draw a fixed number per image, so a rank with more
    images must count more.  Dense and query-based heads divide by the number
    of objects on all ranks and count each image the same already.
    """
    return hasattr(student, 'roi_head')


def _scaled(losses: dict, scale: float) -> dict:
    return {
        name: value if 'loss' not in name else
        [v * scale for v in value] if isinstance(value, list) else value * scale
        for name, value in losses.items()
    }
