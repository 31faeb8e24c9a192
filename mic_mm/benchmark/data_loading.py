# Copyright (c) mic_mm authors. All rights reserved.
"""Seconds to load a batch, where the data sets exist."""
from __future__ import annotations

import copy
import time
from statistics import median
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner


def data_loading(cfg: Config, iterations: int) -> dict[str, Any]:
    """Seconds per batch of the training loader, in this process.

    With ``num_workers`` processes it takes so many times less, beside the
    iteration.

    Args:
        cfg (Config): The config.
        iterations (int): How many batches are loaded, one more for a start.

    Returns:
        dict: ``seconds``, or ``left_out`` with the reason.
    """
    loader_cfg = copy.deepcopy(cfg.train_dataloader)
    loader_cfg.update(num_workers=0, persistent_workers=False)
    loader_cfg.pop('prefetch_factor', None)
    try:
        loader = iter(Runner.build_dataloader(loader_cfg, seed=0))
        next(loader)
        seconds = []
        for _ in range(iterations):
            start = time.perf_counter()
            next(loader)
            seconds.append(time.perf_counter() - start)
    except FileNotFoundError as error:
        return dict(left_out=f'not measured, the data do not exist: {error}')
    except StopIteration:
        return dict(left_out='not measured, the data set is too small')
    return dict(seconds=median(seconds))
