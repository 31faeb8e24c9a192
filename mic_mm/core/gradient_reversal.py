# Copyright (c) mic_mm authors. All rights reserved.
"""Gradient reversal, the link between features and a domain discriminator."""
from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class GradientReversal(nn.Module):
    r"""The identity, whose gradient is reversed and grows over the training.

    .. math::
        R(x) = x, \qquad \frac{\partial R}{\partial x} = -\lambda_i I, \qquad
        \lambda_i = \frac{2\,(h - l)}{1 + e^{-\alpha i / N}} - (h - l) + l

    where :math:`i` counts the forward passes in train mode, starting from 0
    (Ganin et al., 2016; MIC's classification code).  At :math:`i = N` the
    coefficient is 0.46 of the way from :math:`l` to :math:`h`, at
    :math:`i = 5N` 0.99.

    The counter is saved with the model: a resumed training continues where
    it stood.

    Args:
        alpha (float): Steepness :math:`\alpha`. Defaults to 1, as in CDAN,
            SDAT and MIC.
        low (float): Coefficient :math:`l` at the start. Defaults to 0: an
            untrained discriminator has nothing to say.
        high (float): Coefficient :math:`h` that is approached. Defaults
            to 1.
        warmup_iterations (int): :math:`N`; 0 applies ``high`` from the
            start. Defaults to 1000, as in CDAN, SDAT and MIC.

    Raises:
        ValueError: If ``warmup_iterations`` is negative.
    """

    steps: Tensor

    def __init__(self,
                 alpha: float = 1.,
                 low: float = 0.,
                 high: float = 1.,
                 warmup_iterations: int = 1000) -> None:
        super().__init__()
        if warmup_iterations < 0:
            raise ValueError(f'warmup_iterations={warmup_iterations} is '
                             'negative. Give the number of iterations over '
                             'which the reversed gradient grows, or 0.')
        self.alpha = alpha
        self.low = low
        self.high = high
        self.warmup_iterations = warmup_iterations
        # The buffer survives a resume; the integer spares the device a
        # synchronisation per step.
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        self._step_count = 0

    def coefficient(self) -> float:
        r""":math:`\lambda_i` of the next forward pass."""
        if self.warmup_iterations == 0:
            return self.high
        progress = self.alpha * self._step_count / self.warmup_iterations
        span = self.high - self.low
        return 2 * span / (1 + math.exp(-progress)) - span + self.low

    def forward(self, features: Tensor) -> Tensor:
        """Pass ``features`` on; in train mode, count the pass."""
        reversed_features = reverse_gradient(features, self.coefficient())
        if self.training:
            self._step_count += 1
            self.steps += 1
        return reversed_features

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._step_count = int(self.steps)


def reverse_gradient(features: Tensor, coefficient: float) -> Tensor:
    """The identity, whose gradient is multiplied by ``-coefficient``."""
    return scale_gradient(features, -coefficient)


def scale_gradient(features: Tensor, factor: float) -> Tensor:
    """The identity, whose gradient is multiplied by ``factor``."""
    return _ScaleGradient.apply(features, factor)


class _ScaleGradient(torch.autograd.Function):

    @staticmethod
    def forward(ctx: Any, features: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.factor * gradient, None
