# Copyright (c) mic_mm authors. All rights reserved.
"""Whether a checkpoint fits a model, told before it is loaded."""
from __future__ import annotations

from typing import Optional

from mmengine.runner import Runner, find_latest_checkpoint
from torch import nn

from mic_mm.core.plain_checkpoint import add_student_prefix
from mic_mm.core.uda_model import UDAModel
from mic_mm.utils.checkpoint_file import CheckpointError

_SHOWN = 5


def checkpoint_to_load(runner: Runner) -> Optional[str]:
    """The file that a runner loads or resumes from, if any."""
    if runner._load_from is None and runner._resume:
        return find_latest_checkpoint(runner.work_dir)
    return runner._load_from


def check_checkpoint(checkpoint: dict,
                     model: nn.Module,
                     source: Optional[str] = None,
                     resume: bool = False) -> None:
    """Refuse a checkpoint that does not fit.

    MMEngine loads non-strictly and only warns, so training would start from
    random weights.

    Args:
        checkpoint (dict): The loaded checkpoint.
        model (nn.Module): The UDA model, or a plain one.
        source (str, optional): Where it was loaded from, for the message.
        resume (bool): Whether to resume, for which every weight must be
            there. Defaults to False.

    Raises:
        CheckpointError: If no weight of the network fits, a weight has another shape, or
            weights are missing when resuming.
    """
    weights = {
        key.removeprefix('module.'): value
        for key, value in checkpoint.get('state_dict', checkpoint).items()
    }
    if isinstance(model, UDAModel):
        add_student_prefix(weights, '')
    expected = model.state_dict()
    reshaped = [
        f'{key}: {tuple(weights[key].shape)} in the checkpoint, '
        f'{tuple(value.shape)} in the model' for key, value in expected.items()
        if key in weights and weights[key].shape != value.shape
    ]
    if reshaped:
        _refuse(source, 'weights of another shape', reshaped)
    missing = [key for key in expected if key not in weights]
    if resume and missing:
        _refuse(source, 'no value for', missing)
    # A counter of the teacher is in every checkpoint of mic_mm.
    network = [
        key for key in expected
        if key.startswith('student.') or not isinstance(model, UDAModel)
    ]
    if not set(network) & set(weights):
        _refuse(source, 'no weight of this model, but', list(weights))


def _refuse(source: Optional[str], what: str, keys: list[str]) -> None:
    shown = '\n  '.join(keys[:_SHOWN])
    hidden = len(keys) - _SHOWN
    more = f'\n  ... and {hidden} more' if hidden > 0 else ''
    raise CheckpointError(
        f'The checkpoint {source!r} does not fit the model: it has {what}\n'
        f'  {shown}{more}\nCheck load_from/--resume and the model section of '
        'the config (architecture, num_classes).')
