# Copyright (c) mic_mm authors. All rights reserved.
"""The checkpoint that a tool begins with."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

from mmengine.config import Config

from mic_mm.utils.checkpoint_file import CheckpointError, check_checkpoint_file

from .errors import UsageError


def check_file(path: str, argument: str, to_resume: bool = False) -> None:
    """Refuse a path without a checkpoint; addresses are left to MMEngine.

    Args:
        path (str): The path.
        argument (str): What named it.
        to_resume (bool): Whether a run is to go on from it. Defaults to
            False.

    Raises:
        UsageError: If there is no such file, or it cannot be used.
    """
    path = str(Path(path).expanduser()) if '://' not in path else path
    if '://' not in path and not Path(path).is_file():
        raise UsageError(f'{argument}: {path!r} does not exist or is no '
                         'file. Give the path of a checkpoint (.pth).')
    try:
        check_checkpoint_file(path, to_resume)
    except CheckpointError as error:
        raise UsageError(f'{argument}: {error}') from error


def set_checkpoint(cfg: Config, checkpoint: str) -> None:
    """Evaluate a checkpoint.

    Raises:
        UsageError: If it does not exist or cannot be used.
    """
    check_file(checkpoint, 'checkpoint')
    cfg.load_from = checkpoint
    cfg.resume = False


def set_resume(cfg: Config, resume: Optional[str]) -> None:
    """Resume from a checkpoint, or with ``'auto'`` from the latest one.

    Where there is none yet, ``'auto'`` starts the run as the config says,
    from its ``load_from`` if it has one.

    Raises:
        UsageError: If the checkpoint, or that of ``load_from`` in the config,
            does not exist or cannot be used.
    """
    latest = Path(cfg.work_dir, 'last_checkpoint')
    if resume == 'auto' and latest.is_file():
        cfg.load_from = None
    if resume is not None:
        cfg.resume = resume != 'auto' or cfg.get('load_from') is None
        cfg.load_from = cfg.get('load_from') if resume == 'auto' else resume
    to_resume = bool(cfg.get('resume'))
    if cfg.get('load_from') is not None:
        check_file(cfg.load_from, '--resume' if to_resume else 'load_from',
                   to_resume)
    elif to_resume and latest.is_file():
        path = _latest(latest)
        check_file(path, f'--resume auto (named by {latest})', to_resume)
        if path != latest.read_text().strip():
            cfg.load_from = path


def _latest(latest: Path) -> str:
    """The file that ``last_checkpoint`` names.

    It is the one beside it, if there is one: the absolute path that is named
    is that of another run where the folder was moved or copied.
    """
    path = latest.read_text().strip()
    beside = latest.absolute().with_name(Path(path).name or latest.name)
    if path and '://' not in path and beside.is_file():
        return str(beside)
    return path
