# Copyright (c) mic_mm authors. All rights reserved.
"""Build a task's folder once, and tell whether it is complete."""
from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Dict

from .writers import write_cls, write_det, write_seg

TASKS = dict(cls=write_cls, seg=write_seg, det=write_det)

# Raise it when anything that is written changes: old folders are redone.
VERSIONS = dict(cls=3, seg=2, det=2)
_MANIFEST = 'manifest.json'


def count_files(root: Path) -> Dict[str, int]:
    """Number of files in each folder below ``root``, by relative path."""
    counts = {}
    for folder, _, names in os.walk(root):
        names = [name for name in names if name != _MANIFEST]
        if names:
            key = Path(folder).relative_to(root).as_posix()
            counts[key] = len(names)
    return counts


def is_complete(folder: Path) -> bool:
    """Whether ``folder``, named as its task, holds a finished one.

    It has to be of this version.  Files are counted, not read: it takes
    milliseconds.
    """
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        return False
    try:
        found = json.loads(manifest.read_text())
    except json.JSONDecodeError:
        return False
    return (found.get('version') == VERSIONS[folder.name]
            and found.get('files') == count_files(folder))


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and not (folder / _MANIFEST).is_file():
        if not folder.is_dir() or any(folder.iterdir()):
            raise FileExistsError(
                f'{folder} exists and was not written by this tool (it has no '
                f'{_MANIFEST}). Nothing was changed. Choose another --out, or '
                'move it away.')


def build_task(task: str, out: Path, force: bool = False) -> bool:
    """Write one task to ``out/task`` unless it is complete.

    It is written to a folder beside it that is renamed at the end, so
    ``out/task`` is never half-written, and an interrupted run is redone.

    Args:
        task (str): 'cls', 'seg' or 'det'.
        out (Path): Root folder of the benchmark.
        force (bool): Write it again even if complete. Defaults to False.

    Returns:
        bool: Whether anything was written.

    Raises:
        ValueError: If the task is unknown.
        FileExistsError: If ``out/task`` is not a folder of this tool.
    """
    if task not in TASKS:
        raise ValueError(
            f'Unknown task {task!r}, expected one of {list(TASKS)}.')
    folder = Path(out) / task
    if is_complete(folder) and not force:
        return False
    _check_replaceable(folder)
    partial = folder.with_name(f'.{task}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    TASKS[task](partial)
    manifest = dict(version=VERSIONS[task], files=count_files(partial))
    (partial / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return True
