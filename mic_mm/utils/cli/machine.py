# Copyright (c) mic_mm authors. All rights reserved.
"""What the machine has: devices, mixed precision, processes."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config
from mmengine.device import get_device

from mic_mm.engine.parallelism import check_config

from .errors import UsageError

_IN_MIXED_PRECISION = {
    'OptimWrapper': 'AmpOptimWrapper',
    'mic_mm.SAMOptimWrapper': 'mic_mm.SAMAmpOptimWrapper',
}


def check_device(device: str) -> None:
    """Refuse a device that PyTorch does not know or see.

    Raises:
        UsageError: If it cannot be used.
    """
    try:
        torch.device(device)
    except RuntimeError as error:
        raise UsageError(
            f'--device {device} cannot be used: it is unknown to PyTorch.'
        ) from error
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f'--device {device} cannot be used: {reason}') from error


def enable_amp(cfg: Config) -> None:
    """Train in mixed precision.

    The data type is that of ``optim_wrapper.dtype``, ``'float16'`` unless it
    is given.  ``'bfloat16'`` has the range of float32, so its gradients are
    not scaled and no step is skipped.

    Raises:
        UsageError: If the machine or the config does not support it.
    """
    if not has_accelerator():
        raise UsageError('--amp needs a GPU (or NPU, MLU, MUSA), and PyTorch '
                         'sees none. Leave --amp out to train on the CPU.')
    kind = cfg.get('optim_wrapper', {}).get('type', 'OptimWrapper')
    if kind not in (*_IN_MIXED_PRECISION, *_IN_MIXED_PRECISION.values()):
        raise UsageError(f'--amp replaces optim_wrapper.type by that of mixed '
                         f'precision ({_IN_MIXED_PRECISION}), but the config '
                         f'has {kind!r}. Set it in the config instead.')
    cfg.optim_wrapper.type = _IN_MIXED_PRECISION.get(kind, kind)
    scale = 'dynamic'
    if str(cfg.optim_wrapper.get('dtype')).endswith('bfloat16'):
        scale = dict(enabled=False)
    cfg.optim_wrapper.setdefault('loss_scale', scale)


def check_mixed_precision(cfg: Config) -> None:
    """Refuse a config in mixed precision on a machine that MMEngine has none for.

    Raises:
        UsageError: If it is one, and there is no GPU.
    """
    kind = str((cfg.get('optim_wrapper') or {}).get('type'))
    if kind in _IN_MIXED_PRECISION.values() and not has_accelerator():
        plain = next(name for name, amp in _IN_MIXED_PRECISION.items() if amp == kind)
        raise UsageError(
            f'optim_wrapper.type={kind!r} needs a GPU (or NPU, MLU, MUSA), '
            f'and PyTorch sees none. On the CPU set it to {plain!r}, without '
            'dtype and loss_scale.')


def has_accelerator() -> bool:
    """Whether there is a device that MMEngine can distribute to."""
    return get_device() not in ('cpu', 'mps')


def check_launcher(cfg: Config) -> None:
    """Refuse a launcher or a kind of parallelism that is not supported.

    Raises:
        UsageError: If the launcher needs a GPU and there is none, or the
            config shards a UDA model.
    """
    try:
        check_config(cfg)
    except TypeError as error:
        raise UsageError(str(error)) from error
    if cfg.launcher in ('slurm', 'mpi') and not has_accelerator():
        raise UsageError(f'--launcher {cfg.launcher} needs a GPU, and PyTorch '
                         'sees none. On the CPU use tools/dist_train.sh.')


@contextmanager
def process_group(cfg: Config) -> Iterator[None]:
    """On a machine without a GPU, a process group of gloo.

    MMEngine would ask for a CUDA device when it makes the group, so on the
    CPU the group is made here, before there is a runner.
    """
    if cfg.launcher != 'pytorch' or has_accelerator():
        yield
        return
    torch.distributed.init_process_group('gloo')
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
