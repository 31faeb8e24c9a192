# Copyright (c) mic_mm authors. All rights reserved.
"""The interface of a loss on what a classifier says about both domains."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class DomainOutputs:
    """What the student computes for the images of both domains.

    Attributes:
        source_features (Tensor): Inputs of the last layer, (B_s, D) float32.
        source_logits (Tensor): (B_s, C) float32.
        target_features (Tensor): (B_t, D) float32.
        target_logits (Tensor): (B_t, C) float32.
    """

    source_features: Tensor
    source_logits: Tensor
    target_features: Tensor
    target_logits: Tensor

    @property
    def features(self) -> Tensor:
        """Features of all images, source first, (B_s + B_t, D)."""
        return torch.cat([self.source_features, self.target_features])

    @property
    def logits(self) -> Tensor:
        """Logits of all images, source first, (B_s + B_t, C)."""
        return torch.cat([self.source_logits, self.target_logits])

    @property
    def is_source(self) -> Tensor:
        """1 for source and 0 for target images, (B_s + B_t, )."""
        return torch.cat([
            self.source_logits.new_ones(len(self.source_logits)),
            self.target_logits.new_zeros(len(self.target_logits))
        ])


class DomainTerm(nn.Module, ABC):
    """A loss that :class:`JointSupervision` adds to that of the source.

    Args:
        weight (float): Factor of its loss, at least 0. Defaults to 1.

    Raises:
        ValueError: If ``weight`` is negative.

    Attributes:
        in_ascent (bool): Whether the loss takes part in the first pass of
            sharpness-aware minimisation, which looks for the perturbation of
            the weights. Adversarial losses do not (SDAT: Rangwani et al.,
            ICML 2022).
    """

    in_ascent = True

    def __init__(self, weight: float = 1.) -> None:
        super().__init__()
        if weight < 0:
            raise ValueError(
                f'{type(self).__name__}: weight={weight} is negative. To '
                'switch a term off, set its entry in terms to None.')
        self.weight = weight

    @abstractmethod
    def loss(self, outputs: DomainOutputs) -> dict[str, Tensor]:
        """Compute the losses, and values to log.

        A loss has ``'loss'`` in its name.
        """

    def forward(self, outputs: DomainOutputs) -> dict[str, Tensor]:
        """Losses of :meth:`loss`, times ``weight``."""
        return {
            name: value * self.weight if 'loss' in name else value
            for name, value in self.loss(outputs).items()
        }
