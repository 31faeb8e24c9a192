# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
from torch import Tensor

from mic_mm.registry import MODELS

from .domain_term import DomainOutputs, DomainTerm
from .entropy import certainty_weights


@MODELS.register_module()
class MinimumClassConfusion(DomainTerm):
    r"""Makes the classes confused least on target images.

    With the tempered probabilities :math:`P` (B, C) of the target images and
    their certainty weights :math:`w` (see :func:`certainty_weights`),

    .. math::
        P = \mathrm{softmax}(z / T), \quad
        M = P^\top \mathrm{diag}(w)\,P, \quad
        L = \frac{1}{C} \sum_{c \ne c'}
        \frac{M_{cc'}}{\sum_{c''} M_{cc''}}

    (Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation",
    ECCV 2020).  The loss couples the images of a batch: on several processes
    each takes it over its own images.

    Args:
        temperature (float): :math:`T > 0`. Defaults to 2, MIC's value for
            ViT; it uses 3 for ResNet-101 on VisDA, SDAT 2.5 for ResNet-50 on
            Office-Home.
        weight (float): Factor of the loss. Defaults to 1.

    Raises:
        ValueError: If ``temperature`` is not positive.
    """

    def __init__(self, temperature: float = 2., weight: float = 1.) -> None:
        super().__init__(weight)
        if not temperature > 0:
            raise ValueError(
                f'MinimumClassConfusion: temperature={temperature} is not '
                'positive. MIC uses 2 with ViT and 3 with ResNet-101.')
        self.temperature = temperature

    def loss(self, outputs: DomainOutputs) -> dict[str, Tensor]:
        return {'loss': class_confusion(outputs.target_logits,
                                        self.temperature)}


def class_confusion(logits: Tensor, temperature: float) -> Tensor:
    """Mean share of a class's mass that is confused with other classes.

    Args:
        logits (Tensor): (B, C).
        temperature (float): See :class:`MinimumClassConfusion`.

    Returns:
        Tensor: 0-dim, in [0, 1).
    """
    probabilities = (logits / temperature).softmax(dim=1)
    weights = certainty_weights(probabilities)
    confusion = (probabilities * weights[:, None]).t() @ probabilities
    confusion = confusion / confusion.sum(dim=1, keepdim=True)
    return (confusion.sum() - torch.trace(confusion)) / logits.size(1)
