# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mic_mm.core.draws import RandomDraws


class NumpyDraws(RandomDraws):
    """Draws from NumPy's global generator, as pipeline transforms do.

    MMEngine seeds it in each worker process, and
    :class:`mic_mm.DomainPairDataset` for each image.
    """

    def uniform(self, name: str, *shape: int, low: float = 0., high: float = 1.) -> Tensor:
        numbers = np.random.uniform(low, high, shape)
        return torch.as_tensor(numbers, dtype=torch.float32)

    def uniform_per_sample(self, name: str, batch_size: int, *shape: int,
                           low: float = 0., high: float = 1.) -> Tensor:
        return self.uniform(name, batch_size, *shape, low=low, high=high)

    def permutation(self, name: str, n: int) -> Tensor:
        return torch.from_numpy(np.random.permutation(n))
