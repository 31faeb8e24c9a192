# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from mmpretrain.models import ClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.registry import MODELS


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
        if not any(True for _ in self._pseudo_label_objectives()):
            return
        head = getattr(self.student, 'head', None)
        if not isinstance(head, ClsHead):
            raise TypeError(
                f'The head {type(head).__name__} is no mmpretrain ClsHead, so '
                'its loss cannot be weighted by the confidence of '
                'pseudo-labels. Use e.g. LinearClsHead.')
        if getattr(self.student.data_preprocessor, 'batch_augments', None):
            raise ValueError(
                'data_preprocessor.batch_augments mixes labels, which target '
                'images do not have. Remove it (and train_cfg.augments).')

    def weighted_loss(self, student: nn.Module,
                      images: LabelledImages) -> dict:
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
