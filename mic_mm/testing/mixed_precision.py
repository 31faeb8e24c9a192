# Copyright (c) mic_mm authors. All rights reserved.
"""Mixed precision without a GPU."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Optional
from unittest import mock

import torch
from mmengine.optim import AmpOptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper

from mic_mm.core import UDAModel


@contextmanager
def amp_on_cpu() -> Iterator[None]:
    """Let MMEngine's ``AmpOptimWrapper`` train on the CPU inside the context.

    It refuses a machine without a GPU, and float16 on the CPU, for reasons of
    speed and of PyTorch's age; autocast and the scaler of gradients work
    there in both data types.  Only these two refusals are lifted.
    """
    scaler = partial(torch.amp.GradScaler, 'cpu')
    with ExitStack() as stack:
        for name, value in (('is_cuda_available', lambda: True),
                            ('GradScaler', scaler)):
            stack.enter_context(
                mock.patch.object(amp_optimizer_wrapper, name, value))
        stack.enter_context(
            mock.patch('mmengine.runner.amp.autocast', _autocast))
        yield


def _autocast(dtype: Optional[torch.dtype] = None) -> torch.autocast:
    dtype = dtype or torch.bfloat16
    return torch.autocast('cpu', dtype, enabled=dtype != torch.float32)


def train_in_half(model: UDAModel,
                  batches: Sequence[dict],
                  dtype: str,
                  optim_wrapper: type = AmpOptimWrapper,
                  scale: float = 16.) -> list[dict]:
    """Train a model in mixed precision on the CPU.

    Returns:
        list[dict]: What each iteration logs.

    Raises:
        AssertionError: If a step was skipped, a value is not finite, no
            weight of the student has changed or one is not in float32.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in model.student.parameters()]
    with amp_on_cpu():
        wrapper = optim_wrapper(
            optimizer=torch.optim.SGD(parameters, lr=0.01),
            dtype=dtype,
            loss_scale=dict(init_scale=scale))
        logs = []
        for batch in batches:
            model.update_teachers()
            logs.append(model.train_step(batch, wrapper))
    assert wrapper.loss_scaler.get_scale() == scale, 'a step was skipped'
    for log in logs:
        for name, value in log.items():
            assert torch.as_tensor(value).isfinite().all(), (name, value)
    assert any(not p.equal(old)
               for p, old in zip(model.student.parameters(), before))
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    return logs
