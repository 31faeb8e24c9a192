# Copyright (c) mic_mm authors. All rights reserved.
"""Runs of MMEngine that take milliseconds: two weights fitted to a line."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import Dataset

ITERATIONS, INTERVAL = 4, 2


class Numbers(Dataset):
    """The points 0 to 11."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return dict(inputs=torch.tensor([1., index]))


class Line(BaseModel):
    """Fits ``w_0 + w_1 x`` to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))

    def forward(self, inputs: list[Tensor], mode: str) -> Any:
        """The squared error, or a number to evaluate."""
        if mode == 'loss':
            error = (torch.stack(inputs) * self.weight).sum(1) - 1
            return dict(loss=error.square().mean())
        return [float(self.weight.sum())]


class Scores(BaseMetric):
    """Gives the values of :attr:`values` in turn, whatever is predicted.

    Attributes:
        calls (int): How often it has been asked.
        breaks_at (int): At which time it raises ``InterruptedError``; 0:
            never.
    """

    values = (1, 3, 2)
    calls = 0
    breaks_at = 0

    def process(self, data_batch: Any, data_samples: Any) -> None:
        """Keep something to be counted."""
        self.results += data_samples

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The next value."""
        Scores.calls += 1
        if Scores.calls == Scores.breaks_at:
            raise InterruptedError
        return dict(score=float(Scores.values[Scores.calls - 1]))


def make_runner(work_dir: str | Path,
                hook: str = 'mic_mm.AtomicCheckpointHook',
                resume: bool = False,
                load_from: str | Path | None = None,
                **options: Any) -> Runner:
    """A runner of :class:`Line` with checkpoints.

    Args:
        work_dir (str | Path): Where the run goes.
        hook (str): Type of the checkpoint hook.
        resume (bool): See MMEngine's ``Runner``.
        load_from (str | Path, optional): See there.
        **options: ``evaluate`` (bool), ``max_iters``, ``train_cfg``,
            ``accumulative_counts``, ``batch_size``, ``launcher``; all others
            go to the checkpoint hook.
    """
    torch.manual_seed(0)
    loader = dict(
        batch_size=options.pop('batch_size', 2),
        num_workers=0,
        dataset=Numbers(),
        sampler=dict(type='InfiniteSampler', shuffle=True))
    train_cfg = dict(
        type='IterBasedTrainLoop',
        max_iters=options.pop('max_iters', ITERATIONS),
        val_interval=INTERVAL)
    train_cfg = options.pop('train_cfg', train_cfg)
    if train_cfg.get('type') == 'EpochBasedTrainLoop':
        loader['sampler'] = dict(type='DefaultSampler', shuffle=True)
    evaluated = {}
    if options.pop('evaluate', False):
        evaluated = dict(
            val_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=False)),
            val_cfg=dict(),
            val_evaluator=dict(type=Scores))
    return Runner(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=train_cfg,
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
            accumulative_counts=options.pop('accumulative_counts', 1)),
        param_scheduler=dict(type='PolyLR', by_epoch=False, end=10),
        launcher=options.pop('launcher', 'none'),
        cfg=dict(model_wrapper_cfg=dict(type='mic_mm.DistributedDataParallel')),
        default_hooks=dict(
            checkpoint=dict(
                dict(type=hook, by_epoch=False, interval=INTERVAL), **options)),
        randomness=dict(seed=5),
        experiment_name=f'{Path(work_dir).name}_{os.urandom(4).hex()}',
        log_processor=dict(by_epoch=False),
        log_level='ERROR',
        resume=resume,
        load_from=load_from and str(load_from),
        **evaluated)


def train(*args: Any, **kwargs: Any) -> None:
    """Train :func:`make_runner`."""
    make_runner(*args, **kwargs).train()


def read(path: str | Path) -> dict:
    """A checkpoint, as tensors and plain values."""
    return torch.load(path, weights_only=True)


def names(folder: str | Path) -> list[str]:
    """The checkpoints of a folder, complete or not."""
    return sorted(path.name for path in Path(folder).glob('*.pth*'))
