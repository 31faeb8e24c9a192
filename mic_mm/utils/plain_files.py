# Copyright (c) mic_mm authors. All rights reserved.
"""Plain models read from checkpoints, and written to files of their own."""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Optional

from mmengine.config import Config
from torch import nn

from .checkpoint_file import read_checkpoint, save_weights
from .plain_export import (
    build_plain,
    is_plain,
    is_wrapper,
    plain_config,
    plain_weights,
    predicting_branch,
)
from .strict_loading import load_strictly
from .weight_names import unwrapped_names

# What of a run stays true of its network.
_META = ('dataset_meta', 'iter', 'epoch', 'seed')


class PlainFiles(NamedTuple):
    """What an export has written.

    Args:
        config (Path): Config of the plain model.
        checkpoint (Path): Its weights.
        branch (str): ``'student'`` or ``'teacher'``, whose they are.
    """
    config: Path
    checkpoint: Path
    branch: str


def load_plain(cfg: Config,
               checkpoint: str | Path,
               branch: Optional[str] = None) -> nn.Module:
    """The plain model of a checkpoint, ready to predict.

    Args:
        cfg (Config): Config of a run of mic_mm, or a plain one. It is not
            changed.
        checkpoint (str | Path): Its checkpoint, or an exported one.
        branch (str, optional): ``'student'`` or ``'teacher'`` of a checkpoint
            of mic_mm. Defaults to None, see
            :func:`~mic_mm.utils.plain_export.predicting_branch`.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If it does not fit the model, or has no such branch.
    """
    weights = unwrapped_names(read_checkpoint(checkpoint)['state_dict'])
    if branch == 'teacher' or not is_plain(weights):
        weights = plain_weights(weights, predicting_branch(cfg, branch))
    model = build_plain(plain_config(cfg) if is_wrapper(cfg) else cfg)
    load_strictly(model, weights, str(checkpoint))
    return model.eval()


def write_plain(cfg: Config,
                checkpoint: str | Path,
                target: str | Path,
                branch: Optional[str] = None) -> PlainFiles:
    """Write config and checkpoint of the wrapped model.

    ``torch.load(..., weights_only=True)`` reads the checkpoint.

    Args:
        cfg (Config): Config of a run of mic_mm. It is not changed.
        checkpoint (str | Path): A checkpoint of the run.
        target (str | Path): The files without ``.py`` and ``.pth``.
        branch (str, optional): ``'student'`` or ``'teacher'``. Defaults to
            None, see :func:`~mic_mm.utils.plain_export.predicting_branch`.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If config and checkpoint do not fit, the model wraps
            nothing, or the checkpoint has no such branch.
    """
    branch = predicting_branch(cfg, branch)
    plain = plain_config(cfg)
    content = read_checkpoint(checkpoint)
    weights = plain_weights(content['state_dict'], branch)
    load_strictly(build_plain(plain), weights, str(checkpoint))
    # with_suffix() would cut a dotted name
    folder, name = Path(target).parent, Path(target).name
    written = PlainFiles(folder / f'{name}.py', folder / f'{name}.pth', branch)
    folder.mkdir(parents=True, exist_ok=True)
    plain.dump(written.config)
    meta = content.get('meta') or {}
    save_weights(written.checkpoint, weights,
                 {key: meta[key] for key in _META if key in meta})
    return written
