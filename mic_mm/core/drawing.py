# Copyright (c) mic_mm authors. All rights reserved.
"""Networks that draw random numbers in their forward pass."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from torch import nn

from .draws import RandomDraws


class DrawingModule:
    """Mixin of a module whose forward pass in training is random.

    While an objective runs, :attr:`draws` holds its random numbers, so that
    the module's numbers depend on seed, iteration and objective alone and may
    be replayed.  Outside of mic_mm's training loop it is None; the module
    then draws from PyTorch's global generator, as its library would.
    """

    draws: Optional[RandomDraws] = None


@contextmanager
def drawing_from(model: nn.Module,
                 draws: Optional[RandomDraws]) -> Iterator[None]:
    """Let every :class:`DrawingModule` of ``model`` draw from ``draws``."""
    drawing = [m for m in model.modules() if isinstance(m, DrawingModule)]
    previous = [module.draws for module in drawing]
    for module in drawing:
        module.draws = draws
    try:
        yield
    finally:
        for module, earlier in zip(drawing, previous):
            module.draws = earlier
