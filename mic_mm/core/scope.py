# Copyright (c) mic_mm authors. All rights reserved.
"""Which library the un-prefixed types of a wrapped model belong to."""
from __future__ import annotations

import copy

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

# Scopes in which the types of a task library cannot be found.
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
    ambient = DefaultScope.get_current_instance()
    if '_scope_' not in pinned and (ambient is None or ambient.scope_name
                                    in _FOREIGN_SCOPES):
        pinned['_scope_'] = task_scope
    return pinned
