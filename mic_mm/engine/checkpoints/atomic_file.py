# Copyright (c) mic_mm authors. All rights reserved.
"""Files that are there as a whole or not at all."""
from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

PARTIAL_SUFFIX = '.partial'
BACKEND = 'mic_mm_atomic'


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file such that no reader ever sees a part of it.

    The data go to ``<path>.partial``, reach the disk, and the file is renamed.
    A process that dies before leaves what was at ``path`` as it was.

    Args:
        path (str | Path): The file; its folder is made.
        data (bytes): Its content.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with open(partial, 'wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the renaming reach the disk, where folders can be opened."""
    if not hasattr(os, 'O_DIRECTORY'):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@register_backend(BACKEND)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend of local files, with :func:`write_atomically`.

    Known to MMEngine as ``backend_args=dict(backend='mic_mm_atomic')``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_atomically(filepath, obj)

    def put_text(self,
                 obj: str,
                 filepath: str | Path,
                 encoding: str = 'utf-8') -> None:
        """Write text."""
        write_atomically(filepath, obj.encode(encoding))
