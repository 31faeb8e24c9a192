# Copyright (c) mic_mm authors. All rights reserved.
"""Trains any config of the repository for a few iterations, in a test."""
from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Optional

from mmengine.config import Config
from mmengine.runner import Runner


def shorten(cfg: Config,
            work_dir: Path,
            iterations: int = 2,
            batch_size: int = 2,
            options: Optional[dict] = None) -> Config:
    """A copy of a config that trains, then evaluates, within seconds.

    Everything that is not about cost stays as it is: data sets, pipelines,
    objectives, optimizer and schedules.  Pictures are not drawn.

    Args:
        cfg (Config): The config; left unchanged.
        work_dir (Path): Where the run goes.
        iterations (int): Iterations to train. Defaults to 2, so that what the
            first one leaves behind (a teacher, momentum) is used.
        batch_size (int): Images of each domain. Defaults to 2.
        options (dict, optional): Further settings as ``{'a.b.c': value}``,
            e.g. a narrow network. Defaults to None.

    Returns:
        Config: The shortened copy.
    """
    cfg = Config(copy.deepcopy(cfg.to_dict()), filename=cfg.filename)
    cfg.work_dir = str(work_dir)
    cfg.train_cfg = dict(
        type='IterBasedTrainLoop',
        max_iters=iterations,
        val_interval=iterations)
    for name in ('train', 'val', 'test'):
        loader = cfg.get(f'{name}_dataloader')
        if loader is not None:
            loader.num_workers = 0
            loader.persistent_workers = False
    cfg.train_dataloader.batch_size = batch_size
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.checkpoint.interval = 10 * iterations
    cfg.default_hooks.checkpoint.save_last = False
    cfg.default_hooks.pop('uda_visualization', None)
    cfg.merge_from_dict(options or {})
    return cfg


def train_config(cfg: Config) -> dict:
    """Train and evaluate a config with a real runner.

    Returns:
        dict: What was logged last under each name, without ``train/`` and
        ``val/`` in front.

    Raises:
        AssertionError: If a loss is not finite or no weight has changed.
    """
    runner = Runner.from_cfg(cfg)
    student = getattr(runner.model, 'student', runner.model)
    before = {
        name: value.detach().clone()
        for name, value in student.named_parameters()
    }
    runner.train()
    changed = [
        name for name, value in student.named_parameters()
        if not value.equal(before[name])
    ]
    logged = {
        name.split('/', 1)[1]: buffer.current()
        for name, buffer in runner.message_hub.log_scalars.items()
    }
    broken = {
        name: value
        for name, value in logged.items()
        if 'loss' in name and not math.isfinite(value)
    }
    assert not broken, f'{cfg.filename}: losses that are not finite: {broken}'
    assert changed, f'{cfg.filename}: training has changed no weight'
    return logged
