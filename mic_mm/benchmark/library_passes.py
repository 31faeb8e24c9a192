# Copyright (c) mic_mm authors. All rights reserved.
"""Networks run the way their library runs them, for comparison."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import nn


@contextmanager
def as_in_library(model: nn.Module) -> Iterator[list[str]]:
    """Let the modules of ``model`` compute as their library would.

    A module that computes the same as its library but cheaper has a method
    ``as_in_library`` that returns a context.

    Yields:
        list[str]: The types of these modules.
    """
    with ExitStack() as stack:
        types = set()
        for module in model.modules():
            if hasattr(module, 'as_in_library'):
                stack.enter_context(module.as_in_library())
                types.add(type(module).__name__)
        yield sorted(types)
