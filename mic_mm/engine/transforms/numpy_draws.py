# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import numpy as np
import torch

from mic_mm.core.draws import RandomDraws


class NumpyDraws(RandomDraws):
    """Draws from NumPy's global generator, as pipeline transforms do.

    MMEngine seeds it in each worker process, and
    :class:`mic_mm.DomainPairDataset` for each image.
    """

    def uniform(self, name, *shape, low=0., high=1.):
        numbers = np.random.uniform(low, high, shape)
        return torch.as_tensor(numbers, dtype=torch.float32)

    def uniform_per_sample(self, name, batch_size, *shape, low=0., high=1.):
        return self.uniform(name, batch_size, *shape, low=low, high=high)

    def permutation(self, name, n):
        return torch.from_numpy(np.random.permutation(n))
