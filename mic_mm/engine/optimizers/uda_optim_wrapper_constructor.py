# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, Optional

from mmengine.model import is_model_wrapper
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper, OptimWrapperDict
from torch import nn

from mic_mm.core.sharpness_aware import SharpnessAware
from mic_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class UDAOptimWrapperConstructor:
    """Builds the optimizer on what is trained, under the model's own names.

    The student's parameters keep the names they have in the wrapped model
    (``backbone.…``), so ``paramwise_cfg``, ``custom_keys`` and layer decay of
    a stock config keep their meaning; parameters of objectives are named
    ``objectives.<name>.…``.  The teacher is left out.

    An objective may bring an optimizer of its own:

    .. code-block:: python

        optim_wrapper = dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=2.5e-3),
            objectives=dict(
                adversarial=dict(optimizer=dict(type='Adam', lr=1e-4))))

    The result is then an ``OptimWrapperDict`` with the entries ``student``
    and ``adversarial``, and ``param_scheduler`` may be a dict with these
    keys.

    Args:
        optim_wrapper_cfg (dict): Config of the optimizer wrapper; its
            entry ``objectives`` holds the configs of optimizer wrappers by
            name of the objective.
        paramwise_cfg (dict, optional): Options for parameters; its key
            ``inner_constructor`` names the constructor of the stock config,
            e.g. ``'mmseg.LayerDecayOptimizerConstructor'``. Defaults to None
            and ``'DefaultOptimWrapperConstructor'``.

    Raises:
        ValueError: If ``objectives`` names an objective that is not
            configured, or has no parameters.
        TypeError: If the optimizer of an objective is sharpness-aware.
    """

    def __init__(self,
                 optim_wrapper_cfg: dict,
                 paramwise_cfg: Optional[dict] = None) -> None:
        paramwise_cfg = dict(paramwise_cfg or {})
        optim_wrapper_cfg = copy.deepcopy(dict(optim_wrapper_cfg))
        self.of_objectives = {
            name: cfg
            for name, cfg in (optim_wrapper_cfg.pop('objectives', None)
                              or {}).items() if cfg is not None
        }
        inner = paramwise_cfg.pop('inner_constructor',
                                  'DefaultOptimWrapperConstructor')
        self.inner = OPTIM_WRAPPER_CONSTRUCTORS.build(
            dict(
                type=inner,
                optim_wrapper_cfg=optim_wrapper_cfg,
                paramwise_cfg=paramwise_cfg))

    def __call__(self, model: Any) -> OptimWrapper | OptimWrapperDict:
        if is_model_wrapper(model):
            model = model.module
        if not self.of_objectives:
            return self.inner(_trained_part(model))
        student = self.inner(_trained_part(model, except_=self.of_objectives))
        return OptimWrapperDict(
            student=student,
            **{
                name: _build(name, cfg, model.objectives)
                for name, cfg in self.of_objectives.items()
            })


def _trained_part(model: Any,
                  except_: Collection[str] = ()) -> nn.Module:
    """The student and the objectives, as one module with the student's names.

    Modules and parameters are shared with ``model``.
    """
    part = nn.Module()
    for name, parameter in model.student.named_parameters(recurse=False):
        part.register_parameter(name, parameter)
    for name, child in model.student.named_children():
        part.add_module(name, child)
    part.add_module(
        'objectives',
        nn.ModuleDict({
            name: _without_frozen(objective)
            for name, objective in model.objectives.items()
            if name not in except_
        }))
    return part


def _without_frozen(module: nn.Module) -> nn.Module:
    """``module`` without frozen parameters, such as those of a copy.

    Constructors of MMEngine would hand them to the optimizer.
    """
    part = copy.copy(module)
    part.__dict__['_parameters'] = {
        name: p
        for name, p in module._parameters.items()
        if p is not None and p.requires_grad
    }
    part.__dict__['_modules'] = {
        name: _without_frozen(child)
        for name, child in module.named_children()
    }
    return part


def _build(name: str, cfg: dict, objectives: nn.ModuleDict) -> OptimWrapper:
    if name not in objectives or not any(
            p.requires_grad for p in objectives[name].parameters()):
        raise ValueError(
            f'optim_wrapper.objectives.{name} is an optimizer, but '
            f'model.objectives has no {name!r} with parameters to train (it '
            f'has {list(objectives)}). Remove it, or set it to None.')
    cfg = dict(dict(type='OptimWrapper'), **cfg)
    paramwise_cfg = cfg.pop('paramwise_cfg', None)
    wrapper = DefaultOptimWrapperConstructor(cfg, paramwise_cfg)(
        objectives[name])
    if isinstance(wrapper, SharpnessAware):
        raise TypeError(
            f"optim_wrapper.objectives.{name}.type={cfg['type']!r} perturbs "
            'the student; what an objective owns is not perturbed. Set it as '
            "optim_wrapper.type, and use type='OptimWrapper' here.")
    return wrapper
