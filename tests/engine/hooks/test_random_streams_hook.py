# Copyright (c) mic_mm authors. All rights reserved.
import random
from types import SimpleNamespace

import numpy as np
import torch

from mic_mm.engine.hooks import RandomStreamsHook


def numbers(seed, iteration, monkeypatch, rank=0):
    monkeypatch.setattr(
        'mic_mm.engine.hooks.random_streams_hook.get_rank', lambda: rank)
    RandomStreamsHook().before_train_iter(
        SimpleNamespace(seed=seed, iter=iteration), batch_idx=0)
    return random.random(), np.random.rand(), float(torch.rand(()))


def test_streams_are_a_function_of_seed_iteration_and_rank(monkeypatch):
    first = numbers(0, 5, monkeypatch)
    torch.rand(7)
    assert numbers(0, 5, monkeypatch) == first
    for other in (numbers(1, 5, monkeypatch), numbers(0, 6, monkeypatch),
                  numbers(0, 5, monkeypatch, rank=1)):
        assert all(a != b for a, b in zip(first, other))
