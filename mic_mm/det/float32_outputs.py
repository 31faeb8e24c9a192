# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from mmengine.utils import apply_to
from torch import Tensor, nn

from mic_mm.core.execution.precision import is_half


@contextmanager
def float32_outputs(detector: nn.Module, device: torch.device) -> Iterator[None]:
    """Let the heads of a detector predict in float32 in mixed precision.

    Scores and boxes are computed from what a head's forward pass returns.
    In half precision a score near the threshold of the pseudo-labels is off
    by 0.002, and MMCV's non-maximum suppression on the CPU fails.  The
    network itself stays in half precision.

    Args:
        detector (nn.Module): A detector of MMDetection.
        device (torch.device): Where it is.
    """
    with ExitStack() as stack:
        if torch.is_autocast_enabled(device.type):
            for head in detector.modules():
                if hasattr(head, 'predict_by_feat'):
                    handle = head.register_forward_hook(_to_float32)
                    stack.callback(handle.remove)
        yield


def _to_float32(head: nn.Module, args: tuple, outputs):
    return apply_to(outputs, is_half, Tensor.float)
