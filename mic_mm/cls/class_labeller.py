# Copyright (c) mic_mm authors. All rights reserved.
"""Pseudo-labels and their weights for images."""
from __future__ import annotations

from typing import Optional

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mic_mm.core import LabelledImages, PseudoLabeller, PseudoLabels
from mic_mm.registry import TASK_UTILS

from .student_checks import check_batch_statistics

_WEIGHTS = ('prob', None)


@TASK_UTILS.register_module()
class ClassLabeller(PseudoLabeller):
    r"""Labels each image with the teacher's most probable class.

    .. math::
        \hat y = \arg\max_c p_c, \qquad
        q = p_{\hat y}\,[p_{\hat y} \ge \tau]

    Args:
        weight (str, optional): ``'prob'``: the loss of an image is weighted
            by the teacher's probability (MIC with ViT); None: by 1 (MIC with
            ResNet-101). Defaults to ``'prob'``.
        threshold (float, optional): :math:`\tau`; images below it have
            weight 0. Defaults to None, no threshold, as in MIC.

    Raises:
        ValueError: If ``weight`` is unknown.
    """

    def __init__(self,
                 weight: Optional[str] = 'prob',
                 threshold: Optional[float] = None) -> None:
        super().__init__(threshold)
        if weight not in _WEIGHTS:
            raise ValueError(f'model.labeller.weight={weight!r} is unknown; '
                             f'choose one of {_WEIGHTS}.')
        self.weight = weight

    def predict(self, teacher: nn.Module, images: LabelledImages) -> Tensor:
        """Logits, (B, C).

        Raises:
            TypeError: If the head gives something else.
        """
        check_batch_statistics(teacher, images.inputs)
        logits = teacher.head(teacher.extract_feat(images.inputs))
        if not isinstance(logits, Tensor):
            raise TypeError(
                f'The head {type(teacher.head).__name__} gives a '
                f'{type(logits).__name__} in the place of logits, of which '
                'no pseudo-labels are made. Use a head with one prediction, '
                'e.g. LinearClsHead.')
        return logits

    def label(self, prediction: Tensor, images: LabelledImages,
              threshold: Optional[float]) -> PseudoLabels:
        """Labels and weights of logits, (B, C)."""
        probabilities = prediction.float().softmax(dim=1)
        confidence, labels = probabilities.max(dim=1)
        weights = self._weigh(confidence, threshold)
        return PseudoLabels(
            data_samples=[
                _pseudo_sample(*item)
                for item in zip(images.data_samples, labels, weights)
            ],
            metrics={
                'pseudo_confidence': confidence.mean(),
                'confident_share': _confident_share(confidence, threshold),
                'mean_weight': weights.mean(),
            })

    def _weigh(self, confidence: Tensor,
               threshold: Optional[float]) -> Tensor:
        weights = (
            confidence
            if self.weight == 'prob' else torch.ones_like(confidence))
        if threshold is not None:
            weights = weights * (confidence >= threshold)
        return weights


def _confident_share(confidence: Tensor,
                     threshold: Optional[float]) -> Tensor:
    """Share of images of at least ``threshold``; 1 without one."""
    if threshold is None:
        return confidence.new_ones(())
    return (confidence >= threshold).float().mean()


def _pseudo_sample(sample: DataSample, label: Tensor,
                   weight: Tensor) -> DataSample:
    pseudo = DataSample(metainfo=sample.metainfo).set_gt_label(label[None])
    pseudo.set_field(weight, 'loss_weight')
    return pseudo
