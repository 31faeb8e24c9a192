# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

from torch import nn

from mic_mm.registry import MODELS

from ..domain_batch import DomainBatch
from ..ema_teacher import EMATeacher
from .objective import Objective


@MODELS.register_module()
class SourceSupervision(Objective):
    """The student's own loss on source images with their ground truth.

    On its own it is source-only training, and equals training the wrapped
    model with its library (MIC, eq. 1).  With target labels in the place of
    the source it is the oracle.
    """

    order = 0

    def loss(self, batch: DomainBatch, student: nn.Module,
             teacher: Optional[EMATeacher]) -> dict:
        batch.record('source', batch.source)
        if batch.target is not None:
            batch.record('target', batch.target)
        return batch.weighted_loss(student, batch.source)
