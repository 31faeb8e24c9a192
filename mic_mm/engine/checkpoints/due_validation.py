# Copyright (c) mic_mm authors. All rights reserved.
"""Validations that a run died before.

A checkpoint is written before the validation of its iteration, and once more
if that was the best so far.
"""
from __future__ import annotations

from mmengine.runner import EpochBasedTrainLoop, Runner

# MMEngine's log prints all entries that begin with 'train', 'val' or 'test'.
_VALIDATED = 'iter_of_last_validation'


def remember_validation(runner: Runner) -> None:
    """Have the checkpoints from now on know that this iteration is done."""
    runner.message_hub.update_info(_VALIDATED, runner.iter)


def validation_is_due(runner: Runner) -> bool:
    """Whether the loop validates where a run goes on, and has not yet."""
    loop = runner.train_loop
    if (runner.val_loop is None or loop.iter == 0
            or runner.message_hub.runtime_info.get(_VALIDATED) == loop.iter):
        return False
    done, end = loop.iter, loop.max_iters
    if isinstance(loop, EpochBasedTrainLoop):
        if loop.iter != loop.epoch * len(loop.dataloader):
            return False
        done, end = loop.epoch, loop.max_epochs
    loop._decide_current_val_interval()
    return done >= loop.val_begin and (done % loop.val_interval == 0
                                       or done == end)
