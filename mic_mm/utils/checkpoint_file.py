# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoint files, read and written without running what is in them."""
from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import torch
from torch import Tensor

from .inert_pickle import load_inert

# What a run continues from, besides the weights.
_OF_A_RUN = ('meta', 'message_hub', 'optimizer')
# PyTorch's own switch.
TRUST = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
_SHOWN = 3


class CheckpointError(ValueError):
    """A file that cannot be used as a checkpoint."""


def check_checkpoint_file(path: str | Path, to_resume: bool = False) -> None:
    """Refuse a file that MMEngine should not load, without reading weights.

    MMEngine, if it meets objects that are neither tensors nor its own, makes
    them, which runs whatever the file says. Such a file is refused, unless
    its types are allowed (``torch.serialization.add_safe_globals``) or the
    environment variable ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` is 1, PyTorch's
    word for files that are trusted.

    Addresses (``https://...``, ``torchvision://...``) are left to MMEngine.

    Args:
        path (str | Path): The file.
        to_resume (bool): Whether a run is to go on from it, which needs more
            than weights. Defaults to False.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is damaged, no checkpoint, not one of a run, or
            would run code.
    """
    if '://' in str(path):
        return
    path = _existing(Path(path).expanduser())
    found, foreign = _load(path, zipfile.is_zipfile(path))
    content = _checked(path, found, 'state_dict')
    _refuse(path, foreign)
    missing = [key for key in _OF_A_RUN if key not in content]
    if to_resume and missing:
        raise CheckpointError(
            f'{path} cannot be resumed: it has no {", ".join(missing)}, so it '
            'is no checkpoint of a run, or was published, converted or saved '
            'with save_optimizer=False. To start a new run from its weights, '
            'use load_from instead of --resume.')


def check_harmless(path: str | Path) -> None:
    """Refuse a file that would run code, whatever is in it otherwise.

    See :func:`check_checkpoint_file`; files that do not exist and addresses
    are left to MMEngine.

    Args:
        path (str | Path): The file.

    Raises:
        CheckpointError: If it would, or is no file of PyTorch.
    """
    path = Path(path).expanduser()
    if path.is_file():
        _refuse(path, _load(path, zipfile.is_zipfile(path))[1])


def read_checkpoint(path: str | Path,
                    key: str = 'state_dict',
                    lazy: bool = False) -> dict[str, Any]:
    """Read a checkpoint; nothing in the file is executed.

    It is read with ``weights_only=True``.  Checkpoints of MMEngine's runner
    keep their logs as Python objects, which that refuses; in them, tensors
    and plain values are read and every object is replaced by an inert one.

    Args:
        path (str | Path): The file.
        key (str): Where the weights are in it. Defaults to
            ``'state_dict'``, OpenMMLab's; maskrcnn-benchmark's is
            ``'model'``.
        lazy (bool): Leave the values of tensors in the file until they are
            used, where its format allows it. Defaults to False.

    Returns:
        dict: The weights as ``state_dict``, and what else the file has, such
        as ``meta``. The file may be a bare state dict.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is no checkpoint or has no weights.
    """
    path = _existing(path)
    content, _ = _load(path, lazy and zipfile.is_zipfile(path))
    return _checked(path, content, key)


def save_weights(path: str | Path,
                 weights: Mapping[str, Tensor],
                 meta: Optional[Mapping[str, Any]] = None) -> None:
    """Save weights such that ``weights_only=True`` reads them.

    Args:
        path (str | Path): The file to write; its folder is made.
        weights (Mapping[str, Tensor]): The weights. Each is copied, so that a
            view does not drag its whole storage along.
        meta (Mapping, optional): Plain values; others are left out. Defaults
            to None.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {k: v for k, v in (meta or {}).items() if _is_plain(v)}
    copies = {
        name: value.detach().cpu().clone()
        for name, value in weights.items()
    }
    torch.save({'meta': plain, 'state_dict': copies}, path)


def _load(path: Path, lazy: bool) -> tuple[Any, list[str]]:
    try:
        return torch.load(
            path, map_location='cpu', mmap=lazy, weights_only=True), []
    except Exception as error:
        # Damaged files raise whatever the broken bytes lead to.
        refused = error
    try:
        return load_inert(path, lazy)
    except Exception:
        raise CheckpointError(f'{path} is no checkpoint of PyTorch, or is damaged: '
                              f'{_reason(refused)}') from refused


def _checked(path: Path, content: Any, key: str) -> dict[str, Any]:
    weights = content.get(key, content) if isinstance(content,
                                                      Mapping) else None
    if not weights or not isinstance(weights, Mapping) or not all(
            isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(
            f'{path} has no weights: a checkpoint has a {key} of '
            f'tensors, but this file has {_described(content)}.')
    others = {} if weights is content else content
    return {**others, 'state_dict': weights}


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'The checkpoint {path} does not exist.')
    return path


def _is_trusted() -> bool:
    return os.environ.get(TRUST, '').lower() in ('1', 'y', 'yes', 'true')


def _refuse(path: Path, foreign: list[str]) -> None:
    if foreign and not _is_trusted():
        shown = ', '.join(foreign[:_SHOWN]) + (
            ', ...' if len(foreign) > _SHOWN else '')
        raise CheckpointError(
            f'{path} names {shown} besides its weights, and to read it would '
            'run that. If you trust where it is from, set '
            f'{TRUST}=1, or allow the types with '
            'torch.serialization.add_safe_globals in a module of '
            'custom_imports. For the weights alone, which are read without '
            f'running anything: python tools/misc/publish_model.py {path} OUT')


def _reason(refused: Exception) -> str:
    reason = str(refused).strip() or type(refused).__name__
    if reason.startswith('Weights only load failed'):
        # PyTorch's advice, to execute what is in the file, is no remedy.
        return 'its content is no saved weights'
    return reason.splitlines()[0]


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.keys())) and all(
            map(_is_plain, value.values()))
    return value is None or type(value) in (str, int, float, bool)


def _described(content: Any) -> str:
    if isinstance(content, Mapping):
        return f'the entries {list(content)[:5]}'
    return f'a {type(content).__name__}'
