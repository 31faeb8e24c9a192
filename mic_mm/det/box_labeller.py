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

from .float32_outputs import float32_outputs


@TASK_UTILS.register_module()
class BoxLabeller(PseudoLabeller):
    r"""Labels objects with the teacher's boxes of sufficient score.

    A box with score :math:`s \ge \tau` becomes ground truth with its
    predicted class, in the coordinates of the network's input.  The data
    samples have the field ``is_pseudo``.  Scores and boxes are computed in
    float32, also in mixed precision.

    Args:
        threshold (float, optional): :math:`\tau`; None keeps every box the
            detector's ``test_cfg`` lets through. Defaults to 0.8, the value
            of MIC on Cityscapes to Foggy Cityscapes.
        keep_empty (bool): What happens to an image without boxes. False
            leaves it out of the loss, as MIC does: early in training an
            empty prediction says that the teacher is unsure, not that the
            image is empty. True trains on it as background. Defaults to
            False.
        ignore_threshold (float, optional): A box with a score below the
            threshold and of at least this is neither object nor background:
            it becomes an ignored instance, which MMDetection's anchor-based
            assigners with ``ignore_iof_thr`` leave out. Without it, what the
            teacher is unsure of is trained as background. Defaults to None,
            off, as in MIC.

    Raises:
        ValueError: If ``ignore_threshold`` lies outside [0, 1].
    """

    def __init__(self,
                 threshold: Optional[float] = 0.8,
                 keep_empty: bool = False,
                 ignore_threshold: Optional[float] = None) -> None:
        super().__init__(threshold)
        if ignore_threshold is not None and not 0 <= ignore_threshold <= 1:
            raise ValueError(f'model.labeller.ignore_threshold='
                             f'{ignore_threshold} lies outside [0, 1].')
        self.keep_empty = keep_empty
        self.ignore_threshold = ignore_threshold

    def predict(self, teacher: nn.Module,
                images: LabelledImages) -> list[DetDataSample]:
        """Data samples with ``pred_instances``."""
        unlabelled = [
            DetDataSample(metainfo=sample.metainfo)
            for sample in images.data_samples
        ]
        with float32_outputs(teacher, images.inputs.device):
            return teacher.predict(images.inputs, unlabelled, rescale=False)

    def label(self, prediction: list[DetDataSample], images: LabelledImages,
              threshold: Optional[float]) -> PseudoLabels:
        """The predicted boxes of sufficient score."""
        found = [sample.pred_instances.clone() for sample in prediction]
        objects = [boxes[boxes.scores >= (threshold or 0.)] for boxes in found]
        return PseudoLabels(
            data_samples=[
                self._pseudo_sample(sample, boxes,
                                    self._unsure(candidates, threshold))
                for sample, boxes, candidates in zip(images.data_samples,
                                                     objects, found)
            ],
            metrics=_metrics(objects, found, images.inputs))

    def _unsure(self, boxes: InstanceData,
                threshold: Optional[float]) -> InstanceData:
        if self.ignore_threshold is None:
            return boxes[:0]
        return boxes[(boxes.scores < (threshold or 0.))
                     & (boxes.scores >= self.ignore_threshold)]

    def _pseudo_sample(self, sample: DetDataSample, objects: InstanceData,
                       unsure: InstanceData) -> DetDataSample:
        pseudo = DetDataSample(metainfo=sample.metainfo)
        pseudo.gt_instances = InstanceData(
            bboxes=objects.bboxes, labels=objects.labels)
        pseudo.ignored_instances = InstanceData(
            bboxes=unsure.bboxes, labels=unsure.labels)
        is_kept = self.keep_empty or len(objects) > 0
        pseudo.set_field(float(is_kept), 'loss_weight')
        pseudo.set_field(True, 'is_pseudo')
        return pseudo


def _metrics(objects: list[InstanceData], found: list[InstanceData],
             inputs: Tensor) -> dict[str, Tensor]:
    counts = torch.tensor([float(len(i)) for i in objects])
    candidates = torch.tensor([float(len(i)) for i in found])
    scores = torch.cat([i.scores for i in objects])
    confidence = scores.mean() if len(scores) else inputs.new_zeros(())
    return {
        'pseudo_confidence': confidence,
        # Of the boxes that the test_cfg of the detector lets through.
        'confident_share': counts.sum() / candidates.sum().clamp(min=1),
        'boxes_per_image': counts.mean(),
        'labelled_share': (counts > 0).float().mean(),
    }
