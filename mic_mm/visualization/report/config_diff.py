# Copyright (c) mic_mm authors. All rights reserved.
"""In which settings configs differ."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ABSENT = '–'
# Differs between any two runs.
_UNINTERESTING = ('work_dir', 'experiment_name')
_MISSING = object()

Row = tuple[str, list[str]]


def config_diff(configs: Sequence[dict]) -> list[Row]:
    """The settings in which some configs differ.

    Where a part is in some of them only, such as an objective, it is one
    row.

    Args:
        configs (Sequence[dict]): The configs.

    Returns:
        list: For each setting its dotted name and its values in the configs,
        ``'–'`` where there is none.
    """
    interesting = [{
        key: value
        for key, value in config.items() if key not in _UNINTERESTING
    } for config in configs]
    return _rows('', interesting)


def _rows(name: str, values: Sequence[Any]) -> list[Row]:
    if all(_equal(value, values[0]) for value in values):
        return []
    children = _children(values)
    if children is None:
        return [(name, [ABSENT if v is _MISSING else repr(v)
                        for v in values])]
    return [
        row for key, parts in children
        for row in _rows(f'{name}.{key}' if name else str(key), parts)
    ]


def _equal(one: Any, other: Any) -> bool:
    # 1 == True and 1 == 1.0, but not in a config.
    return type(one) is type(other) and one == other


def _children(values: Sequence[Any]):
    """Parts of all values, if they can be compared part by part."""
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return [(key, [value.get(key, _MISSING) for value in values])
                for key in keys]
    if (all(isinstance(value, (list, tuple)) for value in values)
            and len(set(map(len, values))) == 1
            and any(isinstance(p, (dict, list, tuple)) for p in values[0])):
        return list(enumerate(map(list, zip(*values))))
    return None
