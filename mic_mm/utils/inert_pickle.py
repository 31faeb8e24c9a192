# Copyright (c) mic_mm authors. All rights reserved.
"""Pickled files read without making the objects that are in them."""
from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

_TENSORS = {
    ('collections', 'OrderedDict'),
    ('torch', 'Size'),
    ('torch', 'device'),
    ('torch._utils', '_rebuild_tensor_v2'),
    ('torch._utils', '_rebuild_parameter'),
}
# Further types that PyTorch itself reads with weights_only=True.
_HARMLESS = ('torch._utils._rebuild_', 'torch._tensor._rebuild_')
# Containers and numbers, under their names of Python 3 and 2, which torch.save
# writes. PyTorch itself reads some of them.
_PLAIN = {
    f'{module}.{name}'
    for module in ('builtins', '__builtin__')
    for name in ('bool', 'bytearray', 'complex', 'dict', 'float', 'frozenset',
                 'int', 'list', 'range', 'set', 'slice', 'str', 'tuple',
                 'xrange')
} | {'collections.Counter', 'collections.defaultdict'}
# The log of MMEngine's runner: arrays of NumPy 1 and 2 in its own buffers.
_LOGS = {
    f'{module}.{name}'
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray')
    for name in ('_reconstruct', 'scalar')
} | {'numpy.ndarray', 'numpy.dtype', '_codecs.encode'}
_HISTORY = 'mmengine.logging.history_buffer.HistoryBuffer'
_STATISTICS = ('min', 'max', 'mean', 'current')


def load_inert(path: Path, lazy: bool = False) -> tuple[Any, list[str]]:
    """Tensors and plain values of a file that ``torch.save`` wrote.

    Every other object is replaced by one that does nothing.

    Args:
        path (Path): The file.
        lazy (bool): Leave the values of tensors in the file. Defaults to
            False.

    Returns:
        tuple[Any, list[str]]: The content, and the names of what a usual
        reader would import and could run: not plain values, of PyTorch or
        the log of MMEngine, nor allowed by ``torch.serialization.add_safe_globals``.
    """
    foreign: dict[str, None] = {}
    kind = type('_Unpickler', (_InertUnpickler, ),
                dict(foreign=foreign, allowed=_allowed_by_user()))
    content = torch.load(
        path,
        map_location='cpu',
        mmap=lazy,
        weights_only=False,
        pickle_module=SimpleNamespace(
            __name__='pickle',
            Unpickler=kind,
            load=lambda file, **kwargs: kind(file, **kwargs).load()))
    return content, list(foreign)


def _allowed_by_user() -> set[str]:
    listed: list[Any] = getattr(torch.serialization, 'get_safe_globals',
                                list)()
    return {
        entry[1] if isinstance(entry, tuple) else
        f'{entry.__module__}.{entry.__qualname__}'
        for entry in listed
    }


class _InertUnpickler(pickle.Unpickler):
    """Makes tensors and plain values only."""

    foreign: dict[str, None]
    allowed: set[str]

    def find_class(self, module: str, name: str) -> Any:
        is_storage = module == 'torch' and name.endswith('Storage')
        if is_storage or (module, name) in _TENSORS:
            return super().find_class(module, name)
        full = f'{module}.{name}'
        if full in ('builtins.getattr', '__builtin__.getattr'):
            return self._attribute
        if full == _HISTORY:
            return _History
        if not self._is_harmless(module, name):
            self.foreign[full] = None
        return _Inert

    def _attribute(self, owner: Any, name: str) -> Any:
        # MMEngine's buffers name their methods; of anything else, attributes
        # lead to everything.
        if owner is not _History or name not in _STATISTICS:
            self.foreign[f'builtins.getattr(..., {name!r})'] = None
        return _Inert

    def _is_harmless(self, module: str, name: str) -> bool:
        full = f'{module}.{name}'
        is_dtype = module == 'torch' and isinstance(
            getattr(torch, name, None), torch.dtype)
        return (is_dtype or full in _PLAIN | _LOGS | self.allowed
                or full.startswith(_HARMLESS)
                or module == 'numpy.dtypes')


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


class _History(_Inert):
    """In the place of MMEngine's ``HistoryBuffer``."""
