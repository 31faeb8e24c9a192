# Copyright (c) mic_mm authors. All rights reserved.
"""The objectives of a model, from their configs."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, Union

from mmengine.model import ModuleDict
from torch import nn

from mic_mm.registry import MODELS

from .objective import SAME, Objective, PseudoLabelObjective


def build_objectives(cfgs: Mapping[str, Optional[dict]]) -> ModuleDict:
    """Build objectives in the order in which they are evaluated.

    Args:
        cfgs (Mapping[str, dict | None]): Configs by name; None is off.

    Raises:
        TypeError: If an entry is not the config of an objective.
        ValueError: If a name cannot be logged, or nothing is active from
            iteration 0.
    """
    if not isinstance(cfgs, Mapping):
        raise TypeError('model.objectives must be a dict of objectives by '
                        f'name, but is a {type(cfgs).__name__}.')
    built = {
        name: _build(name, cfg, cfgs)
        for name, cfg in cfgs.items() if cfg is not None
    }
    ordered = ModuleDict(
        sorted(built.items(), key=lambda item: (item[1].order, item[0])))
    if not any(objective.begin == 0 for objective in built.values()):
        raise ValueError(
            'No entry of model.objectives is active from iteration 0; got '
            f'{list(ordered)}. Add source=dict('
            "type='mic_mm.SourceSupervision').")
    return ordered


def _build(name: str, cfg: Any, others: Mapping) -> Objective:
    if not isinstance(cfg, Mapping) or 'type' not in cfg:
        raise TypeError(
            f'model.objectives.{name}={cfg!r} is no config of an objective: '
            f'it has no type. Entries with one are {_typed(others)}: correct '
            'the name if one of them was meant; None switches an entry off.')
    if 'loss' in name:
        raise ValueError(
            f"model.objectives has an entry named {name!r}. MMEngine sums "
            "everything logged under a name with 'loss' in it: choose "
            'another name.')
    objective: nn.Module = MODELS.build(cfg)
    if not isinstance(objective, Objective):
        raise TypeError(
            f'model.objectives.{name} is a {type(objective).__name__}, which '
            'is no mic_mm.core.Objective. Derive it from Objective.')
    objective.name = name
    return objective


def _typed(cfgs: Mapping) -> list[str]:
    return [
        name for name, cfg in cfgs.items()
        if isinstance(cfg, Mapping) and 'type' in cfg
    ]


def pseudo_label_objectives(
        objectives: ModuleDict) -> dict[str, PseudoLabelObjective]:
    """Those that train on pseudo-labels, as they are configured."""
    return {
        name: objective
        for name, objective in objectives.items()
        if isinstance(objective, PseudoLabelObjective)
        and objective.needs_target
    }


def share_pseudo_threshold(objectives: Mapping[str, PseudoLabelObjective],
                           default: Optional[float]) -> None:
    """Replace ``pseudo_threshold='same'`` by a number (or None).

    Args:
        objectives (Mapping[str, PseudoLabelObjective]): See
            :func:`pseudo_label_objectives`; changed in place.
        default (float, optional): The threshold of the labeller.
    """
    shared: Union[float, str, None] = default
    is_given = False
    for objective in objectives.values():
        is_same = objective.pseudo_threshold == SAME
        if objective.teacher_cfg is not None:
            if is_same:
                objective.pseudo_threshold = default
        elif is_same:
            objective.pseudo_threshold = shared
        elif not is_given:
            shared, is_given = objective.pseudo_threshold, True
