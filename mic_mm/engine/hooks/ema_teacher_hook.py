# Copyright (c) mic_mm authors. All rights reserved.
"""Updates the teacher, and ties the model to the run."""
from __future__ import annotations

import logging
from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

from mic_mm.core.optimizer_step import student_optim_wrapper
from mic_mm.core.uda_model import UDAModel
from mic_mm.engine.data import DomainPairSampler
from mic_mm.engine.parallelism import check_runner
from mic_mm.registry import HOOKS

from .check_activation_checkpointing import check_activation_checkpointing
from .check_checkpoint import check_checkpoint, checkpoint_to_load
from .check_masks import check_masks


@HOOKS.register_module()
class EMATeacherHook(Hook):
    """Averages the student into the teacher at the start of each step.

    It also tells the model the run's seed and iteration, on which its random
    draws depend, and refuses checkpoints that do not fit the model before
    they are loaded.  Every training config of mic_mm needs it:

    .. code-block:: python

        default_hooks = dict(ema_teacher=dict(type='mic_mm.EMATeacherHook'))

    The teacher is updated *before* an iteration, as in MIC, so pseudo-labels
    come from the student's latest weights.  With gradient accumulation it is
    updated once per optimizer step.
    """

    priority = 'NORMAL'

    def before_run(self, runner: Runner) -> None:
        """Refuse ways of training that leave weights untrained.

        Raises:
            ValueError: If there is another hook of this type, or the config
                has MMEngine's ``activation_checkpointing``.
            TypeError: If the runner shards the model.
        """
        _check_is_single(runner)
        check_runner(runner)
        check_activation_checkpointing(runner)

    def before_train(self, runner: Runner) -> None:
        """Check loop and masks, and tell the model where the run stands."""
        _check_loop(runner)
        model = uda_model(runner.model)
        model.seed = runner.seed
        model.iteration = runner.iter
        check_masks(model, runner.train_dataloader)
        _warn_of_late_objectives(model, runner.max_iters)

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Update the teacher if a new optimizer step begins."""
        model = uda_model(runner.model)
        model.iteration = runner.iter
        if _begins_step(runner.optim_wrapper):
            model.update_teachers()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse a checkpoint that does not fit, before it is loaded."""
        check_checkpoint(
            checkpoint,
            uda_model(runner.model),
            source=checkpoint_to_load(runner),
            resume=runner._resume)


def uda_model(model: Any) -> UDAModel:
    """The UDA model of a runner, without its distributed wrapper.

    Raises:
        TypeError: If the runner trains something else.
    """
    if is_model_wrapper(model):
        model = model.module
    if not isinstance(model, UDAModel):
        raise TypeError(
            f'The config trains a {type(model).__name__}. Hooks of mic_mm '
            'need a model of type mic_mm.UDASegmentor, mic_mm.UDAClassifier '
            'or mic_mm.UDADetector.')
    return model


def _begins_step(optim_wrapper: Any) -> bool:
    optim_wrapper = student_optim_wrapper(optim_wrapper)
    return (optim_wrapper._inner_count
            % optim_wrapper._accumulative_counts == 0)


def _check_is_single(runner: Runner) -> None:
    hooks = [hook for hook in runner.hooks if isinstance(hook, EMATeacherHook)]
    if len(hooks) > 1:
        raise ValueError(
            f'The config has {len(hooks)} hooks of type mic_mm.EMATeacherHook, '
            'which would average the student into the teacher as often per '
            'step. Keep that of default_hooks and remove it from '
            'custom_hooks.')


def _warn_of_late_objectives(model: UDAModel, max_iters: int) -> None:
    for name, objective in model.objectives.items():
        if objective.begin >= max_iters:
            print_log(
                f'model.objectives.{name}.begin={objective.begin}, but '
                f'training ends after {max_iters} iterations: the objective '
                'takes no part in it. Begin earlier, or set it to None.',
                logger='current',
                level=logging.WARNING)


def _check_loop(runner: Runner) -> None:
    loop = runner.train_loop
    sampler = getattr(loop.dataloader, 'sampler', None)
    if (isinstance(loop, EpochBasedTrainLoop)
            and isinstance(sampler, DomainPairSampler)
            and sampler.is_infinite):
        raise ValueError(
            'train_cfg asks for epochs, but mic_mm.DomainPairSampler never '
            "ends. Use train_cfg=dict(type='IterBasedTrainLoop', "
            'max_iters=...), or define an epoch by '
            "train_dataloader.sampler.pairs_per_epoch='target'.")
