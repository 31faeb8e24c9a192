# Copyright (c) mic_mm authors. All rights reserved.
"""Training on several processes."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

import torch
from mmengine.dist import get_world_size
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import Tensor, distributed, nn

from mic_mm.core.train_step import train_step
from mic_mm.core.uda_model import UDAModel
from mic_mm.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class DistributedDataParallel(MMDistributedDataParallel):
    """MMEngine's ``MMDistributedDataParallel``, on the CPU as well.

    One forward and one backward, whose communication overlaps with it.  It
    trains plain models (source only, oracle) as MMEngine does without
    ``model_wrapper_cfg``, and UDA models with the losses of all objectives at
    once, which takes the memory of all of them.

    Args:
        module (nn.Module): The model.
        device_ids (list[int], optional): Device of this process; ignored for
            a model on the CPU, where PyTorch allows none. Defaults to None.
        **kwargs: See ``MMDistributedDataParallel``. ``broadcast_buffers``
            defaults to False, as in MMEngine: buffers are broadcast once
            at the start.

    Raises:
        ValueError: If a model on the CPU synchronises its batch norm.
    """

    def __init__(self,
                 module: nn.Module,
                 device_ids: Optional[list[int]] = None,
                 **kwargs: Any) -> None:
        super().__init__(
            module=module, **_options_on_device(module, device_ids, kwargs))


@MODEL_WRAPPERS.register_module()
class UDADistributedDataParallel(MMDistributedDataParallel):
    """Distributed training with a backward per objective.

    Each objective's backward stays local; the accumulated gradients are
    averaged over the ranks once, before the optimizer step.  So an objective
    may be off on some ranks or iterations and parameters may be unused,
    without ``find_unused_parameters``, and N ranks with batch B give the
    gradient of one rank with batch N·B.  A parameter without gradient on
    every rank keeps none, as on one rank.

    Args:
        module (UDAModel): The model.
        device_ids (list[int], optional): See
            :class:`DistributedDataParallel`. Defaults to None.
        **kwargs: See there.

    Raises:
        TypeError: If ``module`` is no :class:`UDAModel`.
        ValueError: If a model on the CPU synchronises its batch norm.
    """

    def __init__(self,
                 module: nn.Module,
                 device_ids: Optional[list[int]] = None,
                 **kwargs: Any) -> None:
        if not isinstance(module, UDAModel):
            raise TypeError(
                'model_wrapper_cfg.type=mic_mm.UDADistributedDataParallel '
                f'wraps UDA models, but the model is a '
                f'{type(module).__name__}. For a plain model use '
                'type=mic_mm.DistributedDataParallel.')
        super().__init__(
            module=module, **_options_on_device(module, device_ids, kwargs))

    def train_step(self, data: dict,
                   optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """See :meth:`UDAModel.train_step`."""
        model = self.module
        log_vars = train_step(
            model,
            self,
            data,
            optim_wrapper,
            sync_gradients=lambda: average_gradients(
                p for p in model.parameters() if p.requires_grad))
        model.iteration += 1
        return log_vars


def _options_on_device(module: nn.Module, device_ids: Optional[list[int]],
                       options: dict) -> dict:
    options = dict(dict(broadcast_buffers=False), **options)
    if next(module.parameters()).device.type != 'cpu':
        return dict(options, device_ids=device_ids)
    synchronised = [
        name for name, layer in module.named_modules()
        if isinstance(layer, nn.SyncBatchNorm)
    ]
    if synchronised:
        raise ValueError(
            f'{synchronised[0]} and {len(synchronised) - 1} more layers are '
            'SyncBatchNorm, which PyTorch has for GPUs only. To train on '
            "several CPU processes set norm_cfg.type='BN' (statistics of each "
            "process) or 'GN', and remove sync_bn.")
    return options


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average gradients over all ranks in one message per data type.

    A parameter whose gradient is missing on some ranks counts as zero there;
    one that has none on any rank keeps none.
    """
    world_size = get_world_size()
    if world_size == 1:
        return
    parameters = list(parameters)
    for parameter in _used_somewhere(parameters):
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    by_type: dict[tuple, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            grad = parameter.grad
            by_type.setdefault((grad.dtype, grad.device), []).append(grad)
    for grads in by_type.values():
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        distributed.all_reduce(flat)
        flat /= world_size
        chunks = flat.split([grad.numel() for grad in grads])
        torch._foreach_copy_(
            grads,
            [chunk.view_as(grad) for chunk, grad in zip(chunks, grads)])


def _used_somewhere(parameters: list[nn.Parameter]) -> list[nn.Parameter]:
    used = torch.tensor([p.grad is not None for p in parameters],
                        dtype=torch.uint8,
                        device=parameters[0].device)
    distributed.all_reduce(used, op=distributed.ReduceOp.MAX)
    return [p for p, is_used in zip(parameters, used.tolist()) if is_used]
