# Copyright (c) mic_mm authors. All rights reserved.
"""The teacher: a student averaged over the course of training."""
from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from mic_mm.registry import MODELS

_AVERAGES = ('parameters', 'state')
_MODES = ('deterministic_train', 'batch_statistics', 'eval')


@MODELS.register_module()
class EMATeacher(nn.Module):
    r"""Exponential moving average of the student, which labels target images.

    At the beginning of optimizer step :math:`t`, with student weights
    :math:`\theta_t` after :math:`t` steps,

    .. math::
        \phi_0 = \theta_0, \qquad
        \phi_t = a_t \phi_{t-1} + (1 - a_t)\,\theta_t, \qquad
        a_t = \min\left(1 - \frac{1}{t+1}, \alpha\right)

    (MIC, eq. 6; mean teacher, Tarvainen and Valpola, 2017).  The call at
    :math:`t=0` copies the whole student, so initial or pretrained weights
    need no second loading.

    Args:
        student (nn.Module): The network to average; it is copied.
        alpha (float): Largest weight of the old teacher, in [0, 1).
            Defaults to 0.999, the value of MIC's segmentation experiments
            (0.9 in its classification and detection experiments). 0 gives
            the student of the previous step, MIC's "without EMA" ablation.
        warmup (bool): Use :math:`a_t`; if False, the constant
            :math:`\alpha`, as MIC does in detection. Defaults to True.
        average (str): ``'parameters'``: buffers stay the teacher's own
            (segmentation, classification). ``'state'``: buffers are averaged
            too, integer ones copied (detection). Defaults to
            ``'parameters'``.
        mode (str): How layers behave while labelling.
            ``'deterministic_train'``: train mode, i.e. batch norm uses the
            statistics of the *target batch*, with dropout and stochastic
            depth off (MIC in segmentation and classification).
            ``'eval'``: evaluation mode (MIC in detection, whose batch norm
            is frozen). ``'batch_statistics'``: evaluation mode but for batch
            norm, for detectors that are trained with it: many heads decode
            boxes in evaluation mode only. Defaults to
            ``'deterministic_train'``.

    Raises:
        ValueError: If ``alpha`` lies outside [0, 1), or ``average`` or
            ``mode`` is unknown.
    """

    steps: Tensor

    def __init__(self,
                 student: nn.Module,
                 alpha: float = 0.999,
                 warmup: bool = True,
                 average: str = 'parameters',
                 mode: str = 'deterministic_train') -> None:
        super().__init__()
        if not 0 <= alpha < 1:
            raise ValueError(
                f'model.teacher.alpha={alpha} lies outside [0, 1). Use 0 for '
                'a teacher without memory, 0.999 for a slow one.')
        _check_option('average', average, _AVERAGES)
        _check_option('mode', mode, _MODES)
        self.alpha = alpha
        self.warmup = warmup
        self.average = average
        self.mode = mode
        self.model = copy.deepcopy(student).requires_grad_(False)
        # The buffer survives a resume; the integer spares the device a
        # synchronisation per step.
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        self._step_count = 0
        self.train(self.training)

    @property
    def initialized(self) -> bool:
        """Whether the teacher has been copied from the student."""
        return self._step_count > 0

    def old_weight(self, step: int) -> float:
        """Weight :math:`a_t` of the old teacher at optimizer step ``step``."""
        if step == 0:
            return 0.
        if not self.warmup:
            return self.alpha
        return min(1 - 1 / (step + 1), self.alpha)

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """Average ``student`` in; call once at the start of each step.

        Raises:
            ValueError: If ``student`` has other parameters than the network
                that was copied.
        """
        if self._step_count == 0:
            for ours, theirs in self._pairs(student, 'state'):
                ours.copy_(theirs)
        else:
            self._average(student, 1 - self.old_weight(self._step_count))
        self._step_count += 1
        self.steps += 1

    def _average(self, student: nn.Module, new_weight: float) -> None:
        averaged: list[tuple[Tensor, Tensor]] = []
        copied: list[tuple[Tensor, Tensor]] = []
        for pair in self._pairs(student, self.average):
            is_number = pair[0].is_floating_point() or pair[0].is_complex()
            (averaged if is_number else copied).append(pair)
        if averaged:
            ours, theirs = zip(*averaged)
            torch._foreach_lerp_(ours, theirs, new_weight)
        for mine, other in copied:
            mine.copy_(other)

    def _pairs(self, student: nn.Module,
               average: str) -> list[tuple[Tensor, Tensor]]:
        """Tensors of the teacher with those of the student."""
        ours, theirs = (_tensors(m, average) for m in (self.model, student))
        if len(ours) != len(theirs):
            raise ValueError(
                f'The teacher has {len(ours)} parameters and buffers and the '
                f'student {len(theirs)}. It is a copy of the student made '
                'when the model is built: change the student before, e.g. in '
                'its config, not afterwards.')
        return list(zip(ours, theirs))

    def train(self, mode: bool = True) -> EMATeacher:
        """Set the labelling mode, or plain evaluation mode.

        The training loop calls ``train()`` on the whole wrapper before each
        iteration, which must not switch the teacher's dropout on.
        """
        super().train(mode)
        if mode and self.mode == 'deterministic_train':
            self.model.train()
            for module in filter(_is_stochastic, self.model.modules()):
                module.training = False
        else:
            self.model.eval()
        if mode and self.mode == 'batch_statistics':
            for module in filter(_is_batch_norm, self.model.modules()):
                module.training = True
        return self

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._step_count = int(self.steps)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the averaged model."""
        return self.model(*args, **kwargs)


def _tensors(module: nn.Module, average: str) -> list[Tensor]:
    buffers = module.buffers() if average == 'state' else ()
    return [*module.parameters(), *buffers]


def _is_batch_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm)


def _is_stochastic(module: nn.Module) -> bool:
    # Several libraries define a DropPath of their own.  Attention layers
    # apply dropout to the attention map according to their own flag, which
    # does not reach their children.
    name = type(module).__name__
    return (isinstance(module, (nn.modules.dropout._DropoutNd,
                                nn.MultiheadAttention))
            or name in ('DropPath', 'StochasticDepth')
            or name.endswith(('MultiheadAttention', 'MSA')))


def _check_option(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f'model.teacher.{name}={value!r} is unknown; '
                         f'choose one of {allowed}.')
