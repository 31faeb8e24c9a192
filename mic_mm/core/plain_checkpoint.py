# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints of the wrapped model's library, loaded into the wrapper."""
from __future__ import annotations

from typing import Any

_OWN_PREFIXES = ('student.', 'teacher.', 'own_teachers.', 'objectives.')


def add_student_prefix(state_dict: dict, prefix: str, *args: Any) -> None:
    """Address the weights of a plain checkpoint to the student.

    A hook for ``Module._register_load_state_dict_pre_hook``: ``state_dict``
    is the loader's own copy and is renamed in place.  A checkpoint of mic_mm
    is left as it is.
    """
    keys = [key for key in state_dict if key.startswith(prefix)]
    own = tuple(prefix + name for name in _OWN_PREFIXES)
    if any(key.startswith(own) for key in keys):
        return
    for key in keys:
        renamed = f'{prefix}student.{key[len(prefix):]}'
        state_dict[renamed] = state_dict.pop(key)
