# Copyright (c) mic_mm authors. All rights reserved.
"""Which library the un-prefixed types of a wrapped model belong to."""
from __future__ import annotations

import copy

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS

# Scopes that hold no model of a task library; a prefixed type would be found,
# but not the un-prefixed types inside of it.
_FOREIGN_SCOPES = ('mic_mm', 'mmengine')


def pin_scope(model_cfg: dict, task_scope: str) -> ConfigDict:
    """Copy a model config and pin the library its types belong to.

    An ambient scope that can resolve the types, such as ``mmyolo``, is
    respected; only one that cannot is replaced.

    Args:
        model_cfg (dict): Config of the model to wrap; left unchanged.
        task_scope (str): Library of the task, e.g. ``'mmseg'``.
    """
    pinned = ConfigDict(copy.deepcopy(dict(model_cfg)))
    if '_scope_' not in pinned and not _resolves(pinned.get('type')):
        pinned['_scope_'] = task_scope
    return pinned


def _resolves(model_type: str | type | None) -> bool:
    """Whether the ambient scope knows a model and, presumably, its parts."""
    ambient = DefaultScope.get_current_instance()
    if ambient is None or ambient.scope_name in _FOREIGN_SCOPES:
        return False
    if not isinstance(model_type, str):
        return True
    with MODELS.switch_scope_and_registry(None) as registry:
        return registry.get(model_type) is not None
