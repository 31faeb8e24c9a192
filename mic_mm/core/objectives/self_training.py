# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

from torch import nn

from mic_mm.registry import MODELS

from ..domain_batch import DomainBatch
from ..ema_teacher import EMATeacher
from .objective import PseudoLabelObjective


@MODELS.register_module()
class SelfTraining(PseudoLabelObjective):
    """The student's loss on whole target images with the teacher's labels.

    It is :class:`MaskedConsistency` without the mask, which makes it the
    baseline that tells what the mask adds.
    """

    def loss(self, batch: DomainBatch, student: nn.Module,
             teacher: Optional[EMATeacher]) -> dict:
        target = self.pseudo_labelled_target(batch, teacher)
        batch.record('pseudo_label', target)
        losses = batch.weighted_loss(student, target)
        losses.update(self.pseudo_labels(batch, teacher).metrics)
        return losses
