# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoint files without arbitrary objects."""
from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import torch
from torch import Tensor


def read_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint with ``weights_only=True``.

    Args:
        path (str | Path): The file.

    Returns:
        dict: ``state_dict`` and, where the file has them, ``meta`` and the
        rest. A file that is a bare state dict is put under ``state_dict``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no checkpoint, or holds objects other than
            tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'The checkpoint {path} does not exist.')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f'{path} is no checkpoint of tensors and plain values: '
            f'{_first_line(error)} If you trust it, load it once with '
            'weights_only=False and save its state_dict only.') from error
    except (RuntimeError, EOFError, OSError) as error:
        raise ValueError(f'{path} is no checkpoint, or is damaged: '
                         f'{_first_line(error)}') from error
    weights = content.get('state_dict', content) if isinstance(
        content, Mapping) else None
    if not weights or not all(
            isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(
            f'{path} has no weights: a checkpoint has a state_dict of '
            f'tensors, but this file has {_described(content)}.')
    return dict(content) if 'state_dict' in content else {
        'state_dict': weights
    }


def save_weights(path: str | Path,
                 weights: Mapping[str, Tensor],
                 meta: Optional[dict] = None) -> None:
    """Save weights such that ``weights_only=True`` reads them.

    Args:
        path (str | Path): The file to write; its folder is made.
        weights (Mapping[str, Tensor]): The weights. Each is copied, so that a
            view does not drag its whole storage along.
        meta (dict, optional): Plain values. Defaults to None.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            'meta': meta or {},
            'state_dict': {
                name: value.detach().cpu().clone()
                for name, value in weights.items()
            },
        }, path)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _described(content: object) -> str:
    if isinstance(content, Mapping):
        return f'the entries {list(content)[:5]}'
    return f'a {type(content).__name__}'
