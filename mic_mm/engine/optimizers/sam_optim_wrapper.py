# Copyright (c) mic_mm authors. All rights reserved.
"""Sharpness-aware minimisation."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer

from mic_mm.core.sharpness_aware import SharpnessAware
from mic_mm.registry import OPTIM_WRAPPERS

_PSEUDO_WEIGHTS = ('published', 'consistent')
# Keeps a zero gradient from dividing by zero; part of the definition.
_EPS = 1e-12


@OPTIM_WRAPPERS.register_module()
class SAMOptimWrapper(SharpnessAware, OptimWrapper):
    r"""Looks for weights in whose surroundings the loss is low as well.

    Each iteration computes gradients twice,

    .. math::
        g_1 = \nabla_\theta L_1(\theta), \qquad
        e = \rho\,\frac{g_1}{\lVert g_1 \rVert_2 + 10^{-12}}, \qquad
        g_2 = \nabla_\theta L_2(\theta + e)

    restores :math:`\theta` and lets the optimizer step with :math:`g_2`
    (Foret et al., "Sharpness-Aware Minimization", ICLR 2021).  :math:`L_2` is
    the loss of all objectives; :math:`L_1` is without the adversarial ones,
    whose sharpness is not to be reduced (SDAT: Rangwani et al., ICML 2022).
    The norm is that of all parameters of the student; what objectives own,
    such as a discriminator, is not perturbed.

    An iteration takes twice the time.  Batch norm updates its running
    statistics in both passes, as in the original.  The masked images and the
    labels of the teacher are the same in both.

    With gradient accumulation each iteration has a perturbation of its own,
    that of its own images.  Clipping acts on the accumulated :math:`g_2`.  On
    several processes :math:`g_1` is averaged like the final gradient, so that
    all of them perturb alike.

    Args:
        rho (float): :math:`\rho > 0`. Defaults to 0.02, the value of all
            experiments of SDAT and MIC; 0.05 in the SAM paper.
        pseudo_weight (str): ``'published'``: pseudo-labels count with the
            teacher's confidence in the first pass and with 1 in the second
            (but not at all where the confidence is 0), what MIC's code does.
            ``'consistent'``: with the confidence in both. Defaults to
            ``'published'``.
        optimizer (Optimizer): The optimizer; a dict in a config.
        **kwargs: See ``mmengine.optim.OptimWrapper``.

    Raises:
        ValueError: If ``rho`` is not positive or ``pseudo_weight`` unknown.
        TypeError: If the optimizer computes gradients itself, like LBFGS.
    """

    def __init__(self,
                 optimizer: Optimizer,
                 rho: float = 0.02,
                 pseudo_weight: str = 'published',
                 **kwargs: Any) -> None:
        super().__init__(optimizer=optimizer, **kwargs)
        self._configure_sam(rho, pseudo_weight)

    def _configure_sam(self, rho: float, pseudo_weight: str) -> None:
        if not rho > 0:
            raise ValueError(
                f'optim_wrapper.rho={rho} is not positive. MIC uses 0.02; to '
                "train without perturbation use type='OptimWrapper'.")
        if pseudo_weight not in _PSEUDO_WEIGHTS:
            raise ValueError(
                f'optim_wrapper.pseudo_weight={pseudo_weight!r} is unknown; '
                f'choose one of {_PSEUDO_WEIGHTS}.')
        _check_optimizer(self.optimizer)
        self.rho = rho
        self.unit_weights = pseudo_weight == 'published'
        self._remembered: list[Tensor] = []
        self._remembered_ids: list[int] = []

    def update_params(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Not possible: one loss is not enough.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            f'optim_wrapper.type=mic_mm.{type(self).__name__} needs two '
            'passes, which models of mic_mm do in their train_step. On '
            'several processes set model_wrapper_cfg=dict('
            "type='mic_mm.UDADistributedDataParallel'); for other models use "
            "type='OptimWrapper'.")

    @contextmanager
    def ascended(
            self, student: Sequence[nn.Parameter],
            others: Sequence[nn.Parameter],
            first_pass: Callable[[], None]) -> Iterator[dict[str, Tensor]]:
        """See :meth:`SharpnessAware.ascended`."""
        with _gradients_set_aside([*student, *others]):
            first_pass()
            moved = [p for p in student if p.grad is not None]
            if not moved:
                raise RuntimeError(
                    'No loss of the first pass of '
                    f'mic_mm.{type(self).__name__} has a gradient. '
                    'Adversarial losses take no part in it: add a '
                    'supervised objective.')
            weights = self._remember(moved)
            norm = self.ascend(moved)
        try:
            yield {'ascent_norm': norm}
        finally:
            # Whatever happened: copies, since w + e - e is not w.
            with torch.no_grad():
                torch._foreach_copy_(moved, weights)

    @torch.no_grad()
    def _remember(self, parameters: list[nn.Parameter]) -> list[Tensor]:
        """Copies of the weights, in the memory of the step before.

        To allocate it anew takes the host longer than to copy.
        """
        if list(map(id, parameters)) != self._remembered_ids:
            self._remembered_ids = list(map(id, parameters))
            self._remembered = [p.detach().clone() for p in parameters]
        else:
            torch._foreach_copy_(self._remembered, parameters)
        return self._remembered

    @torch.no_grad()
    def ascend(self, parameters: list[nn.Parameter]) -> Tensor:
        """Add :math:`e` to parameters with gradients, which become :math:`e`.

        Returns:
            Tensor: Norm of the gradient, 0-dim.
        """
        norm = _global_norm([p.grad for p in parameters])
        self._move(parameters, norm)
        return norm

    def _move(self, parameters: list[nn.Parameter], norm: Tensor) -> None:
        gradients = [p.grad for p in parameters]
        torch._foreach_mul_(gradients, self.rho / (norm + _EPS))
        torch._foreach_add_(parameters, gradients)


@OPTIM_WRAPPERS.register_module()
class SAMAmpOptimWrapper(SAMOptimWrapper, AmpOptimWrapper):
    """:class:`SAMOptimWrapper` in mixed precision.

    Where the scaled gradient of the first pass overflows, the weights are not
    perturbed; the second pass then overflows as a rule as well, and the scaler
    skips the step and reduces its scale.

    Args:
        optimizer (Optimizer): The optimizer; a dict in a config.
        rho (float): See :class:`SAMOptimWrapper`. Defaults to 0.02.
        pseudo_weight (str): See :class:`SAMOptimWrapper`. Defaults to
            ``'published'``.
        **kwargs: See ``mmengine.optim.AmpOptimWrapper``.
    """

    @torch.no_grad()
    def ascend(self, parameters: list[nn.Parameter]) -> Tensor:
        """See :meth:`SAMOptimWrapper.ascend`."""
        gradients = [p.grad for p in parameters]
        scale = self.loss_scaler.scale(torch.ones_like(gradients[0].sum()))
        torch._foreach_mul_(gradients, 1 / scale)
        norm = _global_norm(gradients)
        # Waits for the device, as the step of the scaler does.
        if torch.isfinite(norm):
            self._move(parameters, norm)
        return norm


def _global_norm(gradients: list[Tensor]) -> Tensor:
    norms = torch._foreach_norm(gradients)
    return torch.linalg.vector_norm(
        torch.stack([norm.to(norms[0]) for norm in norms]))


@contextmanager
def _gradients_set_aside(parameters: list[nn.Parameter]) -> Iterator[None]:
    """No parameter has a gradient within the context; afterwards as before.

    The gradients are those of earlier iterations of an accumulation.
    """
    accumulated: list[Optional[Tensor]] = [p.grad for p in parameters]
    for parameter in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in zip(parameters, accumulated):
            parameter.grad = gradient


def _check_optimizer(optimizer: Optimizer) -> None:
    closure = inspect.signature(type(optimizer).step).parameters.get('closure')
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TypeError(
            f'optim_wrapper.optimizer.type={type(optimizer).__name__} '
            'computes gradients itself, more than once per step, which does '
            'not go with sharpness-aware minimisation. Use e.g. SGD.')
