# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded_random_state(seed: int) -> Iterator[None]:
    """Seed the CPU generators of Python, NumPy and PyTorch for a while.

    Outside of the context they go on as if nothing had happened, which
    matters where data is loaded in the process that trains
    (``num_workers=0``).  Generators of other devices are not touched.

    Args:
        seed (int): Any non-negative integer below 2**64.
    """
    states = (random.getstate(), np.random.get_state(), torch.get_rng_state())
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
