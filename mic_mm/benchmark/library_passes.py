# Copyright (c) mic_mm authors. All rights reserved.
"""Networks run the way their library runs them, for comparison."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import nn

from .shadowing import shadowed


@contextmanager
def as_in_library(model: nn.Module) -> Iterator[None]:
    """Let the modules of ``model`` compute as their library would.

    A module that computes the same as its library but cheaper has a method
    ``as_in_library`` that returns a context.  Heads, whose loss is replaced
    for the time of an objective, keep one that is set on the object.
    """
    with ExitStack() as stack:
        for module in model.modules():
            if hasattr(module, 'as_in_library'):
                stack.enter_context(module.as_in_library())
            if hasattr(module, 'loss_by_feat'):
                stack.enter_context(
                    shadowed(module, 'loss_by_feat', lambda own: own))
        yield
