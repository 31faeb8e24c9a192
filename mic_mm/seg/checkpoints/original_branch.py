# Copyright (c) mic_mm authors. All rights reserved.
"""One network out of a training checkpoint of the original code."""
from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

# branch -> prefixes, the preferred one first
BRANCHES = {
    'student': ('model.', ''),
    'teacher': ('ema_model.', 'mic.teacher.ema_model.'),
    'mic_teacher': ('mic.teacher.ema_model.', ),
    'imagenet': ('imnet_model.', ),
}
_NETWORK_PARTS = ('backbone.', 'decode_head.', 'auxiliary_head.')


def select_branch(state_dict: Mapping[str, Tensor],
                  branch: str = 'student') -> dict[str, Tensor]:
    """The weights of one branch, without its prefix.

    ===============  =============================================
    ``student``      ``model.``, or a checkpoint without a prefix
    ``teacher``      ``ema_model.``, else ``mic.teacher.ema_model.``
    ``mic_teacher``  ``mic.teacher.ema_model.``
    ``imagenet``     ``imnet_model.``, its backbone only
    ===============  =============================================

    Prefixes count at the beginning of a name only: ``model.`` does not match
    ``ema_model.``.

    Args:
        state_dict (Mapping[str, Tensor]): The weights of the checkpoint.
        branch (str): A key of :data:`BRANCHES`. Defaults to ``'student'``,
            the network that the original evaluates and publishes.

    Raises:
        ValueError: If ``branch`` is unknown or the checkpoint has no such
            branch.
    """
    if branch not in BRANCHES:
        raise ValueError(
            f'branch={branch!r} is unknown; choose one of {list(BRANCHES)}.')
    weights = {
        name.removeprefix('module.'): value
        for name, value in state_dict.items()
    }
    parts = _NETWORK_PARTS[:1] if branch == 'imagenet' else _NETWORK_PARTS
    for prefix in BRANCHES[branch]:
        selected = {
            name[len(prefix):]: value
            for name, value in weights.items()
            if name.startswith(tuple(prefix + part for part in parts))
        }
        if selected:
            return selected
    raise ValueError(
        f'The checkpoint has no branch {branch!r}: no name begins with '
        f"{' or '.join(repr(p + 'backbone.') for p in BRANCHES[branch])}. "
        f'Its branches are {present_branches(weights)}.')


def present_branches(weights: Mapping[str, Tensor]) -> list[str]:
    """The branches of a checkpoint."""
    return [
        branch for branch, prefixes in BRANCHES.items() if any(
            name.startswith(tuple(prefix + 'backbone.' for prefix in prefixes))
            for name in weights)
    ]
