# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
from torch import Tensor


def to_device(numbers: Tensor, device: torch.device) -> Tensor:
    """Copy a small CPU tensor to ``device`` without waiting for the device.

    Random numbers are drawn on the CPU (see :mod:`mic_mm.core.draws`).  A
    plain ``.to('cuda')`` from pageable memory blocks the host until all
    queued work is done, once per random operation and iteration.
    """
    if device.type == 'cuda':
        return numbers.pin_memory().to(device, non_blocking=True)
    return numbers.to(device)
