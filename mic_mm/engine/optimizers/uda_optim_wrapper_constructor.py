# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import copy
from typing import Optional

from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from torch import nn

from mic_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class UDAOptimWrapperConstructor:
    """Builds the optimizer on what is trained, under the model's own names.

    The student's parameters keep the names they have in the wrapped model
    (``backbone.…``), so ``paramwise_cfg``, ``custom_keys`` and layer decay of
    a stock config keep their meaning; parameters of objectives are named
    ``objectives.<name>.…``.  The teacher is left out.

    Args:
        optim_wrapper_cfg (dict): Config of the optimizer wrapper.
        paramwise_cfg (dict, optional): Options for parameters; its key
            ``inner_constructor`` names the constructor of the stock config,
            e.g. ``'mmseg.LayerDecayOptimizerConstructor'``. Defaults to None
            and ``'DefaultOptimWrapperConstructor'``.
    """

    def __init__(self,
                 optim_wrapper_cfg: dict,
                 paramwise_cfg: Optional[dict] = None) -> None:
        paramwise_cfg = dict(paramwise_cfg or {})
        inner = paramwise_cfg.pop('inner_constructor',
                                  'DefaultOptimWrapperConstructor')
        self.inner = OPTIM_WRAPPER_CONSTRUCTORS.build(
            dict(
                type=inner,
                optim_wrapper_cfg=copy.deepcopy(optim_wrapper_cfg),
                paramwise_cfg=paramwise_cfg))

    def __call__(self, model: nn.Module) -> OptimWrapper:
        if is_model_wrapper(model):
            model = model.module
        return self.inner(_trained_part(model))


def _trained_part(model: nn.Module) -> nn.Module:
    """The student and the objectives, as one module with the student's names.

    Modules and parameters are shared with ``model``.
    """
    part = nn.Module()
    for name, parameter in model.student.named_parameters(recurse=False):
        part.register_parameter(name, parameter)
    for name, child in model.student.named_children():
        part.add_module(name, child)
    part.add_module('objectives', model.objectives)
    return part
