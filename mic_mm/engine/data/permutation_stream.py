# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch

from mic_mm.core.draws import seed_from


class PermutationStream:
    """An endless sequence of shuffled passes over ``0..length-1``.

    Any place of it can be read in any order: pass :math:`p` is the
    permutation seeded by ``(seed, name, p)``, so jumping ahead costs at most
    one permutation.  Only the pass that was read last is kept.

    Args:
        length (int): Number of items of a pass.
        seed (int): Seed of the run.
        name (str): Distinguishes streams of the same seed and length.
    """

    def __init__(self, length: int, seed: int, name: str) -> None:
        self.length = length
        self.seed = seed
        self.name = name
        self._pass = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def __getitem__(self, position: int) -> int:
        pass_index, offset = divmod(position, self.length)
        if pass_index != self._pass:
            self._order = self._permutation(pass_index)
            self._pass = pass_index
        return int(self._order[offset])

    def _permutation(self, pass_index: int) -> torch.Tensor:
        seed = seed_from(self.seed, self.name, pass_index)
        generator = torch.Generator().manual_seed(seed)
        return torch.randperm(self.length, generator=generator)
