# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.registry import MODELS

from .student_checks import (
    check_batch_statistics,
    check_labels_are_not_mixed,
    check_weightable_loss,
)


@MODELS.register_module()
class UDAClassifier(UDAModel):
    """Unsupervised domain adaptation of any classifier of MMPretrain.

    Args:
        classifier (dict | nn.Module): The classifier.
        objectives (dict): See :class:`UDAModel`.
        **kwargs: See :class:`UDAModel`.

    Raises:
        TypeError: If the classifier has no ``ClsHead``, whose loss takes
            weights.
        ValueError: If batch augmentations (Mixup, CutMix) are configured:
            they mix labels, which target images do not have.
    """

    task_scope = 'mmpretrain'
    default_labeller = dict(type='mic_mm.ClassLabeller')

    def __init__(self, classifier: dict | nn.Module, objectives: dict,
                 **kwargs) -> None:
        super().__init__(classifier, objectives, **kwargs)
        if not self.uses_pseudo_labels:
            return
        check_weightable_loss(self.student)
        check_labels_are_not_mixed(self.student)

    def weighted_loss(self, student: nn.Module,
                      images: LabelledImages) -> dict:
        check_batch_statistics(student, images.inputs)
        weights = stack_image_weights(images.data_samples)
        if weights is None:
            return student.loss(images.inputs, images.data_samples)
        features = student.extract_feat(images.inputs)
        return student.head.loss(
            features, images.data_samples, weight=weights)


def stack_image_weights(data_samples: list[DataSample]) -> Optional[Tensor]:
    """Stack the fields ``loss_weight`` to (B,); None if there are none.

    A data sample without the field weights 1.
    """
    given = [s.loss_weight for s in data_samples if 'loss_weight' in s]
    if not given:
        return None
    one = torch.ones_like(given[0])
    return torch.stack([s.get('loss_weight', one) for s in data_samples])
