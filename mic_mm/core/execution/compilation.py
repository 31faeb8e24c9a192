# Copyright (c) mic_mm authors. All rights reserved.
"""Modules compiled by ``torch.compile``."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Optional

import torch
from torch import nn

_OPTIONS = tuple(
    name for name in inspect.signature(torch.compile).parameters
    if name != 'model')


class CompiledForward:
    """A compiled forward pass that copies of the module compile again.

    Unlike ``torch.compile(module)`` it leaves the names of parameters as
    they are, and unlike ``module.compile()`` it works for heads whose
    library calls ``head.forward``.

    Args:
        module (nn.Module): The module.
        options (dict): Arguments of ``torch.compile``.
    """

    def __init__(self, module: nn.Module, options: dict[str, Any]) -> None:
        self.inner: Callable = module.forward
        self.options = options
        self._compiled: Optional[Callable] = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._compiled is None:
            self._compiled = torch.compile(self.inner, **self.options)
        return self._compiled(*args, **kwargs)

    def __getstate__(self) -> dict:
        # A copied compiled function would compute with the original's
        # weights.
        return dict(self.__dict__, _compiled=None)


def check_compile_options(options: dict[str, Any], place: str) -> None:
    """Refuse what ``torch.compile`` does not know.

    Raises:
        ValueError: If an option or the backend is unknown.
    """
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise ValueError(f'{place} has unknown entries {unknown}; it takes '
                         f"'modules' and {_OPTIONS} of torch.compile.")
    backend = options.get('backend', 'inductor')
    known = torch.compiler.list_backends(exclude_tags=())
    if isinstance(backend, str) and backend not in known:
        raise ValueError(f'{place}.backend={backend!r} is unknown to PyTorch '
                         f'{torch.__version__}; it has {known}.')
