# Copyright (c) mic_mm authors. All rights reserved.
"""Names of weights, whatever a model was wrapped in when it was saved."""
from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

_DISTRIBUTED = 'module'
_COMPILED = '_orig_mod'


def unwrapped_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names that the model itself gives them.

    ``DistributedDataParallel`` and ``DataParallel`` put ``module.`` in front;
    ``torch.compile(model)`` puts ``_orig_mod.`` in front of what is in the
    module that it is called with.

    Args:
        weights (Mapping[str, Tensor]): Weights of a checkpoint.

    Returns:
        dict[str, Tensor]: The same tensors in the same order.
    """
    return {_unwrapped(name): value for name, value in weights.items()}


def _unwrapped(name: str) -> str:
    parts = [part for part in name.split('.') if part != _COMPILED]
    while len(parts) > 1 and parts[0] == _DISTRIBUTED:
        parts.pop(0)
    return '.'.join(parts)
