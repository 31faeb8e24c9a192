# Copyright (c) mic_mm authors. All rights reserved.
"""Loading that leaves nothing over and nothing unset."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from torch import Tensor, nn

_SHOWN = 8
_COUNTER = '.num_batches_tracked'


def load_strictly(model: nn.Module,
                  weights: Mapping[str, Tensor],
                  source: Optional[str] = None) -> None:
    """Load ``weights``; every one must have a place and every place one.

    Batch counters of batch norm, which old checkpoints lack, are excepted.

    Args:
        model (nn.Module): The model.
        weights (Mapping[str, Tensor]): Its weights by name.
        source (str, optional): File name for messages. Defaults to None.

    Raises:
        ValueError: If weights are left over, unset or of another shape; the
            message lists them.
    """
    expected = model.state_dict()
    problems = {
        'left over': [name for name in weights if name not in expected],
        'not set': [
            name for name in expected
            if name not in weights and not name.endswith(_COUNTER)
        ],
        'of another shape': [
            f'{name}: {tuple(weights[name].shape)} in the checkpoint, '
            f'{tuple(value.shape)} in the model'
            for name, value in expected.items()
            if name in weights and weights[name].shape != value.shape
        ],
    }
    if any(problems.values()):
        raise ValueError(
            f'The checkpoint {source or ""} does not fit the '
            f'{type(model).__name__} of the config:' +
            ''.join(_listed(*problem) for problem in problems.items()))
    model.load_state_dict(dict(weights), strict=False)


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ''
    more = len(names) - _SHOWN
    lines = names[:_SHOWN] + ([f'... and {more} more'] if more > 0 else [])
    return f'\n{len(names)} weights {what}:\n  ' + '\n  '.join(lines)
