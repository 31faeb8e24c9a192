# Copyright (c) mic_mm authors. All rights reserved.
"""Pseudo-labels for objects."""
from __future__ import annotations

from typing import Optional

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mic_mm.core import LabelledImages, PseudoLabeller, PseudoLabels
from mic_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class BoxLabeller(PseudoLabeller):
    r"""Labels objects with the teacher's boxes of sufficient score.

    A box with score :math:`s \ge \tau` becomes ground truth with its
    predicted class, in the coordinates of the network's input.

    Args:
        threshold (float, optional): :math:`\tau`; None keeps every box the
            detector's ``test_cfg`` lets through. Defaults to 0.8, the value
            of MIC on Cityscapes to Foggy Cityscapes.
        keep_empty (bool): What happens to an image without boxes. False
            leaves it out of the loss, as MIC does: early in training an
            empty prediction says that the teacher is unsure, not that the
            image is empty. True trains on it as background. Defaults to
            False.
    """

    def __init__(self,
                 threshold: Optional[float] = 0.8,
                 keep_empty: bool = False) -> None:
        super().__init__(threshold)
        self.keep_empty = keep_empty

    def __call__(self, teacher: nn.Module, images: LabelledImages,
                 threshold: Optional[float]) -> PseudoLabels:
        unlabelled = [
            DetDataSample(metainfo=sample.metainfo)
            for sample in images.data_samples
        ]
        predicted = teacher.predict(images.inputs, unlabelled, rescale=False)
        instances = [
            _confident(sample.pred_instances, threshold)
            for sample in predicted
        ]
        return PseudoLabels(
            data_samples=[
                self._pseudo_sample(sample, boxes)
                for sample, boxes in zip(images.data_samples, instances)
            ],
            metrics=_metrics(instances, images.inputs))

    def _pseudo_sample(self, sample: DetDataSample,
                       instances: InstanceData) -> DetDataSample:
        pseudo = DetDataSample(metainfo=sample.metainfo)
        pseudo.gt_instances = InstanceData(
            bboxes=instances.bboxes, labels=instances.labels)
        pseudo.ignored_instances = InstanceData(
            bboxes=instances.bboxes[:0], labels=instances.labels[:0])
        is_kept = self.keep_empty or len(instances) > 0
        pseudo.set_field(float(is_kept), 'loss_weight')
        return pseudo


def _confident(instances: InstanceData,
               threshold: Optional[float]) -> InstanceData:
    if threshold is None:
        return instances
    return instances[instances.scores >= threshold]


def _metrics(instances: list[InstanceData],
             inputs: Tensor) -> dict[str, Tensor]:
    counts = torch.tensor([float(len(i)) for i in instances])
    scores = torch.cat([i.scores for i in instances])
    confidence = scores.mean() if len(scores) else inputs.new_zeros(())
    return {
        'pseudo_confidence': confidence,
        'boxes_per_image': counts.mean(),
        'labelled_share': (counts > 0).float().mean(),
    }
