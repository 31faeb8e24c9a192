# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoint files, read and written without running what is in them."""
from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import torch
from torch import Tensor

_ALLOWED = {
    ('collections', 'OrderedDict'),
    ('torch', 'Size'),
    ('torch', 'device'),
    ('torch._utils', '_rebuild_tensor_v2'),
    ('torch._utils', '_rebuild_parameter'),
}

# What a run continues from, besides the weights.
_OF_A_RUN = ('meta', 'message_hub', 'optimizer')


class CheckpointError(ValueError):
    """A file that cannot be used as a checkpoint."""


def check_checkpoint_file(path: str | Path, to_resume: bool = False) -> None:
    """Refuse a file that cannot be loaded, without reading the weights.

    Addresses (``https://...``, ``torchvision://...``) are left to MMEngine.

    Args:
        path (str | Path): The file.
        to_resume (bool): Whether a run is to go on from it, which needs more
            than weights. Defaults to False.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is damaged, no checkpoint, or not one of a run.
    """
    if '://' in str(path):
        return
    content = read_checkpoint(Path(path).expanduser(), lazy=True)
    missing = [key for key in _OF_A_RUN if key not in content]
    if to_resume and missing:
        raise CheckpointError(
            f'{path} cannot be resumed: it has no {", ".join(missing)}, so it '
            'is no checkpoint of a run, or was published, converted or saved '
            'with save_optimizer=False. To start a new run from its weights, '
            'use load_from instead of --resume.')


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
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'The checkpoint {path} does not exist.')
    content = _load(path, lazy and zipfile.is_zipfile(path))
    weights = content.get(key, content) if isinstance(content,
                                                      Mapping) else None
    if not weights or not isinstance(weights, Mapping) or not all(
            isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(
            f'{path} has no weights: a checkpoint has a {key} of '
            f'tensors, but this file has {_described(content)}.')
    others = {} if weights is content else content
    return {**others, 'state_dict': weights}


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


def _load(path: Path, lazy: bool) -> Any:
    options = dict(map_location='cpu', mmap=lazy)
    try:
        return torch.load(path, weights_only=True, **options)
    except Exception as error:
        # Damaged files raise whatever the broken bytes lead to.
        refused = error
    try:
        return torch.load(
            path,
            weights_only=False,
            pickle_module=SimpleNamespace(
                __name__='pickle',
                Unpickler=_InertUnpickler,
                load=_load_legacy),
            **options)
    except Exception:
        raise CheckpointError(f'{path} is no checkpoint of PyTorch, or is damaged: '
                              f'{_reason(refused)}') from refused


def _reason(refused: Exception) -> str:
    reason = str(refused).strip() or type(refused).__name__
    if reason.startswith('Weights only load failed'):
        # PyTorch's advice, to execute what is in the file, is no remedy.
        return 'its content is no saved weights'
    return reason.splitlines()[0]


class _InertUnpickler(pickle.Unpickler):
    """Makes tensors and plain values only."""

    def find_class(self, module: str, name: str) -> Any:
        is_storage = module == 'torch' and name.endswith('Storage')
        if is_storage or (module, name) in _ALLOWED:
            return super().find_class(module, name)
        return _Inert


def _load_legacy(file, **kwargs) -> Any:
    return _InertUnpickler(file, **kwargs).load()


class _Inert:
    """Takes the place of an object of which nothing is known."""

    def __init__(self, *args, **kwargs) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        pass

    def extend(self, items: Any) -> None:
        pass


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
