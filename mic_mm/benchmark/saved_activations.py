# Copyright (c) mic_mm authors. All rights reserved.
"""How much autograd keeps for the backward pass."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import torch
from torch import Tensor


class SavedActivations:
    """Counts the bytes of the tensors that graphs keep alive, in a context.

    .. code-block:: python

        with SavedActivations(exclude=model.parameters()) as saved:
            model.train_step(data, optim_wrapper)
        print(saved.peak)

    A storage counts once however often it is saved, from the moment an
    operation saves it until the last graph that needs it is freed.  It is
    independent of the device and of its allocator.

    Args:
        exclude (Iterable[Tensor]): Tensors that are there anyway, such as
            parameters, buffers and images.

    Attributes:
        live (int): Bytes kept at the moment.
        peak (int): The most there were.
    """

    def __init__(self, exclude: Iterable[Tensor] = ()) -> None:
        self.live = 0
        self.peak = 0
        self._excluded = {_storage(tensor) for tensor in exclude}
        self._uses: Counter[int] = Counter()
        self._hooks = torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: _Saved(self, tensor), lambda saved: saved.tensor)

    def __enter__(self) -> SavedActivations:
        self._hooks.__enter__()
        return self

    def __exit__(self, *exc_info) -> None:
        self._hooks.__exit__(*exc_info)

    def keep(self, storage: int, size: int) -> None:
        """A graph keeps a storage of ``size`` bytes."""
        if storage in self._excluded:
            return
        self._uses[storage] += 1
        if self._uses[storage] == 1:
            self.live += size
            self.peak = max(self.peak, self.live)

    def release(self, storage: int, size: int) -> None:
        """A graph that kept a storage is freed."""
        if storage in self._excluded:
            return
        self._uses[storage] -= 1
        if not self._uses[storage]:
            del self._uses[storage]
            self.live -= size


class _Saved:
    """A tensor in a graph; its end is that of the graph's need of it."""

    __slots__ = ('counter', 'tensor', 'storage', 'size')

    def __init__(self, counter: SavedActivations, tensor: Tensor) -> None:
        self.counter = counter
        # A node that saved its own result as it is would never be freed.
        self.tensor = tensor.detach()
        self.storage = _storage(tensor)
        self.size = tensor.untyped_storage().nbytes()
        counter.keep(self.storage, self.size)

    def __del__(self) -> None:
        self.counter.release(self.storage, self.size)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
