# Copyright (c) mic_mm authors. All rights reserved.
"""Gradients that wait for the rest of an accumulation.

With ``accumulative_counts=4``, a checkpoint after iteration 6 lies between
two steps: the gradients of iterations 5 and 6 belong to the state of the run.
"""
from __future__ import annotations

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from mic_mm.core.optimizer_step import STUDENT


def is_pending(optim_wrapper: OptimWrapper | OptimWrapperDict) -> bool:
    """Whether gradients have been added up but not been used."""
    if isinstance(optim_wrapper, OptimWrapperDict):
        return any(
            is_pending(wrapper) for name, wrapper in optim_wrapper.items()
            if name == STUDENT or STUDENT not in optim_wrapper)
    return not optim_wrapper.should_update()


def pending_gradients(model: nn.Module) -> dict[str, Tensor]:
    """Copies of all gradients by name of the parameter, on the CPU."""
    return {
        name: parameter.grad.detach().cpu().clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def restore_gradients(model: nn.Module, gradients: dict[str, Tensor]) -> None:
    """Set the gradients that :func:`pending_gradients` has given."""
    for name, parameter in model.named_parameters():
        if name in gradients:
            parameter.grad = gradients[name].to(parameter)
