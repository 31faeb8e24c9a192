# Copyright (c) mic_mm authors. All rights reserved.
"""Modules that mixed precision leaves in full precision."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.utils import apply_to
from torch import Tensor, nn


class FullPrecisionForward:
    """A forward pass in float32 inside of an autocast context.

    Its inputs, also in lists, tuples and dicts, are cast to float32, and its
    outputs are float32.  Without autocast it does nothing.

    Args:
        module (nn.Module): The module.
    """

    def __init__(self, module: nn.Module) -> None:
        self.inner: Callable = module.forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        device = _device_type((args, kwargs))
        if device is None or not torch.is_autocast_enabled(device):
            return self.inner(*args, **kwargs)
        args, kwargs = apply_to((args, kwargs), is_half, Tensor.float)
        with torch.autocast(device, enabled=False):
            return self.inner(*args, **kwargs)


def is_half(value: Any) -> bool:
    """Whether a value is a tensor in one of the types of mixed precision."""
    return isinstance(value, Tensor) and value.dtype in (torch.float16,
                                                         torch.bfloat16)


def _device_type(values: Any) -> str | None:
    found: list[str] = []
    apply_to(values, lambda value: isinstance(value, Tensor),
             lambda tensor: found.append(tensor.device.type))
    return found[0] if found else None
