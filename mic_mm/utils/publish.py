# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints to give away: nothing of the run and of the machine in them."""
from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from .checkpoint_file import read_checkpoint, save_weights
from .weight_names import unwrapped_names

# Parts of a checkpoint of mic_mm that prediction does not need.
REMOVABLE = ('teacher', 'own_teachers', 'objectives')
# The config ('cfg') is left out: it has the paths of data and work folders.
_META = ('dataset_meta', 'epoch', 'iter', 'seed', 'mmengine_version')
# A folder of Linux or macOS, of Windows, or of a user, anywhere in a text.
_ABSOLUTE = re.compile(r'(^|[\s"\'=:,(\[])(/[^/\s]|~/|[A-Za-z]:[\\/]|\\\\)')


def publish(source: str | Path,
            target: str | Path,
            keep: Sequence[str] = ()) -> Path:
    """Write what others need of a checkpoint.

    Optimizer, message hub, schedules and random states are left out, as are
    ``teacher``, ``own_teachers`` and ``objectives`` of a checkpoint of
    mic_mm; of the meta information remain plain values without absolute
    paths.  ``torch.load(..., weights_only=True)`` reads the file.

    Args:
        source (str | Path): Checkpoint of mic_mm, or of another library.
        target (str | Path): The file; the first eight digits of its SHA-256
            are put behind its name, which MMEngine and ``torch.hub`` can
            check after a download.
        keep (Sequence[str]): Of ``REMOVABLE``, what to keep. Defaults to ().

    Returns:
        Path: The file, ``<name>-<digits>.pth``.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If it has no weights, or not what is to be kept.
    """
    content = read_checkpoint(source)
    weights = unwrapped_names(content['state_dict'])
    weights = _selected(weights, keep, str(source))
    meta = content.get('meta') or {}
    target = Path(target)
    draft = target.with_name(f'.{target.stem}.part')
    save_weights(draft, weights, {
        key: _without_paths(meta[key])
        for key in _META if key in meta and _is_public(meta[key])
    })
    digits = hashlib.sha256(draft.read_bytes()).hexdigest()[:8]
    published = target.with_name(f'{target.stem}-{digits}.pth')
    draft.replace(published)
    return published


def _selected(weights: Mapping[str, Tensor], keep: Sequence[str],
              source: str) -> dict[str, Tensor]:
    parts = {name.partition('.')[0] for name in weights}
    missing = set(keep) - parts
    if missing:
        raise ValueError(f'{source} has no {sorted(missing)} to keep, but '
                         f'{sorted(parts)}.')
    # A plain checkpoint may have a part that is only named like one.
    removed = set(REMOVABLE) - set(keep) if 'student' in parts else set()
    return {
        name: value
        for name, value in weights.items()
        if name.partition('.')[0] not in removed
    }


def _without_paths(value: Any) -> Any:
    """Plain values, of which entries with paths are left out."""
    if isinstance(value, Mapping):
        return {
            key: _without_paths(entry)
            for key, entry in value.items() if _is_public(entry)
        }
    if isinstance(value, (list, tuple)):
        return [_without_paths(entry) for entry in value if _is_public(entry)]
    return value


def _is_public(value: Any) -> bool:
    if isinstance(value, str):
        return not _ABSOLUTE.search(value)
    # Objects, arrays among them, have not been read.
    return value is None or isinstance(
        value, (bool, int, float, Mapping, list, tuple))
