# Copyright (c) mic_mm authors. All rights reserved.
"""Activations that are computed again instead of kept."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Optional

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from ..drawing import DrawingModule, drawing_from


class CheckpointedForward:
    """A forward pass of which only the inputs are kept for the backward.

    What it computed in between is computed again in the backward pass, with
    the same dropout, the same draws (:class:`DrawingModule`) and the same
    precision.  The running statistics of batch norm see the batch once.

    MMEngine's switch ``activation_checkpointing`` of the runner is not used
    since its variant of checkpointing gives no gradient to a module whose
    input needs none, such as the first stage of a backbone.

    Args:
        module (nn.Module): The module.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.inner: Callable = module.forward

    # A compiled module around it calls it as it is.
    @torch.compiler.disable
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():  # the copy that teaches
            return self.inner(*args, **kwargs)
        return checkpoint(
            self.inner,
            *args,
            use_reentrant=False,
            context_fn=self._contexts,
            **kwargs)

    def _contexts(
            self) -> tuple[AbstractContextManager, AbstractContextManager]:
        return nullcontext(), _again(self.module)


def _again(module: nn.Module) -> AbstractContextManager:
    """The context of a second forward pass, made during the first."""
    draws = next((child.draws for child in module.modules()
                  if isinstance(child, DrawingModule)), None)

    @contextmanager
    def context() -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(drawing_from(module, draws))
            for child in module.modules():
                if isinstance(child, _BatchNorm):
                    stack.enter_context(_running_statistics_kept(child))
            yield

    return context()


@contextmanager
def _running_statistics_kept(norm: _BatchNorm) -> Iterator[None]:
    momentum: Optional[float] = norm.momentum
    counter = norm.num_batches_tracked
    norm.momentum, norm.num_batches_tracked = 0., None
    try:
        yield
    finally:
        norm.momentum, norm.num_batches_tracked = momentum, counter
