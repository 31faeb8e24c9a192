# Copyright (c) mic_mm authors. All rights reserved.
"""The state of a run as tensors and plain values, and back.

``torch.load(path, weights_only=True)`` reads nothing else.  MMEngine keeps
the log of a run as Python objects with NumPy arrays.
"""
from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log
from torch import Tensor

# Marks a dict that stands for an object.
_KIND = '__mic_mm_kind__'
_PLAIN = (type(None), bool, int, float, complex, str, bytes, Tensor,
          torch.nn.Parameter, torch.Size, torch.dtype, torch.device)


def to_plain(value: Any, place: str = '') -> Any:
    """Replace objects by plain values from which :func:`from_plain` makes them.

    Containers keep their type if it is a plain one; others become a ``dict``
    or a ``list``.  Values that cannot be converted are kept and named in a
    warning.

    Args:
        value (Any): The state; not changed.
        place (str): Where it belongs, for the warning. Defaults to ``''``.

    Returns:
        Any: The plain state; tensors are the same objects.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, HistoryBuffer):
        return _history_to_plain(value)
    if isinstance(value, np.generic):
        return to_plain(value.item(), place)
    if isinstance(value, np.ndarray):
        return _array_to_plain(value, place)
    if isinstance(value, Mapping):
        mapping = OrderedDict if type(value) is OrderedDict else dict
        return mapping(
            (to_plain(key, place), to_plain(item, f'{place}.{key}'))
            for key, item in value.items())
    if isinstance(value, (list, tuple, set, deque)):
        kind = type(value) if type(value) in (tuple, set) else list
        return kind(to_plain(item, place) for item in value)
    print_log(
        f'{place} is a {type(value).__name__}, which is written to the '
        'checkpoint as it is; torch.load(..., weights_only=True), --resume and '
        'tools/test.py will refuse the file unless a module of custom_imports '
        'calls torch.serialization.add_safe_globals([...]) with the type.',
        logger='current',
        level=logging.WARNING)
    return value


def from_plain(value: Any) -> Any:
    """Make the objects again; everything else stays as it is."""
    if type(value) in (dict, OrderedDict):
        kind = value.get(_KIND)
        if kind == 'array':
            return value['value'].cpu().numpy()
        if kind == 'history':
            return HistoryBuffer(value['log'].cpu().numpy(),
                                 value['count'].cpu().numpy(),
                                 value['max_length'])
        return type(value)(
            (key, from_plain(item)) for key, item in value.items())
    if type(value) in (list, tuple):
        return type(value)(map(from_plain, value))
    return value


def _history_to_plain(buffer: HistoryBuffer) -> dict[str, Any]:
    log, count = buffer.data
    return {
        _KIND: 'history',
        'log': torch.from_numpy(log.copy()),
        'count': torch.from_numpy(count.copy()),
        'max_length': buffer.max_length
    }


def _array_to_plain(array: np.ndarray, place: str) -> Any:
    try:
        tensor = torch.from_numpy(array.copy())
    except TypeError:  # strings and objects
        return to_plain(array.tolist(), place)
    return {_KIND: 'array', 'value': tensor}
