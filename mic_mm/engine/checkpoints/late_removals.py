# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mmengine.fileio import BaseStorageBackend


class LateRemovals:
    """A file backend that removes files when told to, not when asked to.

    MMEngine's ``CheckpointHook`` removes a checkpoint before it writes the
    next one, so for a while there may be none.

    Args:
        backend (BaseStorageBackend): Does all the rest, and the removals.
    """

    def __init__(self, backend: BaseStorageBackend) -> None:
        self._backend = backend
        self._pending: list[tuple[str, Callable[[str], None]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        """Remove a file later."""
        self._pending.append((path, self._backend.remove))

    def rmtree(self, path: str) -> None:
        """Remove a folder later."""
        self._pending.append((path, self._backend.rmtree))

    def apply(self, keep: Collection[str] = ()) -> None:
        """Do what was asked for.

        Args:
            keep (Collection[str]): Paths that have been written again since.
                Defaults to ``()``.
        """
        pending, self._pending = self._pending, []
        for path, remove in pending:
            if path not in keep and self._backend.exists(path):
                remove(path)
