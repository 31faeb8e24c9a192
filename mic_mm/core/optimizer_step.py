# Copyright (c) mic_mm authors. All rights reserved.
"""The step of one optimizer, or of the student's and those of objectives."""
from __future__ import annotations

from mmengine.optim import OptimWrapper, OptimWrapperDict

STUDENT = 'student'


def student_optim_wrapper(
        optim_wrapper: OptimWrapper | OptimWrapperDict) -> OptimWrapper:
    """The wrapper that trains the student.

    It alone counts iterations, scales losses and casts to lower precision.

    Raises:
        TypeError: If an ``OptimWrapperDict`` has no entry ``student``.
    """
    if not isinstance(optim_wrapper, OptimWrapperDict):
        return optim_wrapper
    if STUDENT not in optim_wrapper:
        raise TypeError(
            f'optim_wrapper has the entries {list(optim_wrapper.keys())}, '
            f'none of them {STUDENT!r}. Let '
            'mic_mm.UDAOptimWrapperConstructor build it: give the optimizer '
            'of an objective in optim_wrapper.objectives.')
    return optim_wrapper[STUDENT]


def step(optim_wrapper: OptimWrapper | OptimWrapperDict) -> None:
    """Update what every optimizer trains and forget the gradients."""
    main = student_optim_wrapper(optim_wrapper)
    if isinstance(optim_wrapper, OptimWrapperDict):
        for name, other in optim_wrapper.items():
            if name != STUDENT:
                _step_objective(other, main)
    main.step()
    main.zero_grad()


def _step_objective(other: OptimWrapper, main: OptimWrapper) -> None:
    # All gradients carry the scale of the student's wrapper, whose own step
    # ends with an update of that scale and so comes last.
    scaler = getattr(main, 'loss_scaler', None)
    if scaler is None:
        other.step()
    elif _has_gradients(other):  # which the scaler takes for granted
        scaler.unscale_(other.optimizer)
        if other.clip_grad_kwargs:
            other._clip_grad()
        scaler.step(other.optimizer)
    other.zero_grad()


def _has_gradients(optim_wrapper: OptimWrapper) -> bool:
    """Whether the objective has begun."""
    return any(parameter.grad is not None
               for group in optim_wrapper.param_groups
               for parameter in group['params'])
