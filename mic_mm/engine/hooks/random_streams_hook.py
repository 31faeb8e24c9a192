# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import random
from typing import Optional

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mic_mm.core.draws import seed_from
from mic_mm.engine.data import DomainPairSampler
from mic_mm.engine.data.resume import continue_pairs
from mic_mm.registry import HOOKS


@HOOKS.register_module()
class RandomStreamsHook(Hook):
    """Seeds the global generators before each iteration.

    Dropout, stochastic depth and the samplers of detection heads use the
    global generators of PyTorch, NumPy and Python.  Seeded by (seed of the
    run, iteration, rank), they draw the same after a resume as in the
    uninterrupted run, and no generator state has to be stored.  A resumed run
    goes on in the stream of pairs without loading what it has seen.
    """

    # After the hooks that may draw numbers of their own.
    priority = 'VERY_LOW'

    def before_train(self, runner: Runner) -> None:
        """Give the pairs the seed of the run, and the place to go on at."""
        sampler = getattr(runner.train_dataloader, 'sampler', None)
        if isinstance(sampler, DomainPairSampler):
            sampler.seed = runner.seed
        continue_pairs(runner.train_loop)

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Seed the generators."""
        seed = seed_from(runner.seed, runner.iter, get_rank(), 'global')
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
