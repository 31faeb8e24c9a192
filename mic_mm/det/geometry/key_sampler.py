# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

import torch
from mmdet.models.task_modules import AssignResult, BaseSampler, SamplingResult
from torch import Tensor

from mic_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class KeySampler(BaseSampler):
    """Random samples of positive and negative boxes, by a key for each box.

    The positives with the smallest keys are taken, up to the fraction
    ``pos_fraction`` of ``num``; negatives fill up to ``num``.  For
    independent uniform keys this is MMDetection's ``RandomSampler``, but the
    numbers may be given.

    Args:
        num (int): Number of samples per image.
        pos_fraction (float): Largest share of positives.
        add_gt_as_proposals (bool): Let ground truth be sampled too. Defaults
            to False: ``mic_mm.SADARoIHead`` adds it itself.
        **kwargs: See MMDetection's ``BaseSampler``.
    """

    def __init__(self,
                 num: int,
                 pos_fraction: float,
                 add_gt_as_proposals: bool = False,
                 **kwargs) -> None:
        super().__init__(
            num, pos_fraction, add_gt_as_proposals=add_gt_as_proposals,
            **kwargs)

    def sample(self,
               assign_result: AssignResult,
               pred_instances,
               gt_instances,
               keys: Optional[Tensor] = None,
               **kwargs) -> SamplingResult:
        """Sample boxes of an image.

        Args:
            assign_result (AssignResult): What the boxes were assigned to.
            pred_instances (InstanceData): The N boxes, as ``priors``.
            gt_instances (InstanceData): The ground truth.
            keys (Tensor, optional): ``(N,)``. Defaults to None, uniform
                numbers of PyTorch's global generator.
            **kwargs: Ignored, as in MMDetection.

        Returns:
            SamplingResult: Indices of the samples in ascending order;
            ``avg_factor`` is their number.
        """
        result = super().sample(
            assign_result, pred_instances, gt_instances, keys=keys)
        # MMDetection counts at least one positive and one negative.
        result.avg_factor = len(result.pos_inds) + len(result.neg_inds)
        return result

    def _sample_pos(self, assign_result, num_expected, keys=None, **kwargs):
        return _smallest(assign_result.gt_inds > 0, num_expected, keys)

    def _sample_neg(self, assign_result, num_expected, keys=None, **kwargs):
        return _smallest(assign_result.gt_inds == 0, num_expected, keys)


def _smallest(candidates: Tensor, number: int,
              keys: Optional[Tensor]) -> Tensor:
    indices = candidates.nonzero().flatten()
    if len(indices) <= number:
        return indices
    if keys is None:
        keys = torch.rand(len(candidates)).to(candidates.device)
    return indices[keys[indices].argsort()[:number]]
