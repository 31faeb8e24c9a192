# Copyright (c) mic_mm authors. All rights reserved.
"""An objective that is not in mic_mm."""
from __future__ import annotations

import torch
from mmengine.registry import MODELS
from torch import Tensor

from mic_mm.core import Objective


@MODELS.register_module()
class InformationMaximization(Objective):
    r"""Target images: sure of each, undecided on all together.

    .. math::
        L = \frac{1}{B} \sum_i H(p_i) - H\Big(\frac{1}{B} \sum_i p_i\Big)

    with the probabilities :math:`p_i` of target image *i* and the entropy
    *H*.  The first term makes each prediction certain; the second keeps them
    from being all of one class (Liang et al., *Do We Really Need to Access
    the Source Data?*, ICML 2020, eq. 4).

    Args:
        **kwargs: ``weight``, ``begin`` and ``exclude``, see
            :class:`mic_mm.core.Objective`.
    """

    needs_target = True

    def loss(self, batch, student, teacher) -> dict:
        logits = student(batch.target.inputs, mode='tensor')
        probabilities = logits.softmax(dim=1)
        each = entropy(probabilities).mean()
        together = entropy(probabilities.mean(dim=0))
        # Summed to the total loss because of its name; the other is logged.
        return dict(
            loss_information=each - together, entropy=each.detach())


def entropy(probabilities: Tensor) -> Tensor:
    """Entropy over the last dimension."""
    return torch.special.entr(probabilities).sum(dim=-1)
