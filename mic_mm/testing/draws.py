# Copyright (c) mic_mm authors. All rights reserved.
"""Random numbers that were recorded, in the place of drawn ones."""
from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mic_mm.core.draws import RandomDraws


class RecordedDraws(RandomDraws):
    """Replays recorded numbers by name.

    Args:
        numbers (Mapping): Arrays by full name, e.g.
            ``{'mic.mask.noise': noise}``.

    A number that was not recorded, or has another shape than what is asked
    for, raises.  So does :meth:`assert_all_used` if the code under test asked
    for less than was recorded.
    """

    def __init__(self, numbers: Mapping) -> None:
        self._numbers = {
            name: torch.as_tensor(value)
            for name, value in numbers.items()
        }
        self._used: set[str] = set()

    @classmethod
    def for_every_iteration(cls, numbers: Mapping):
        """A factory for ``UDAModel.draws_of_iteration``."""

        def make(seed, iteration, rank=0, world_size=1) -> RecordedDraws:
            return cls(numbers)

        return make

    def assert_all_used(self) -> None:
        """Assert that every recorded number was asked for."""
        unused = sorted(set(self._numbers) - self._used)
        assert not unused, f'Recorded numbers were not used: {unused}.'

    def uniform(self, name, *shape, low=0., high=1.):
        return self._replay(name, shape)

    def uniform_per_sample(self, name, batch_size, *shape, low=0., high=1.):
        return self._replay(name, (batch_size, *shape))

    def permutation(self, name, n):
        return self._replay(name, (n, ))

    def _replay(self, name: str, shape: tuple[int, ...]) -> Tensor:
        if name not in self._numbers:
            raise KeyError(f'{name!r} was asked for but is not recorded; '
                           f'there are {sorted(self._numbers)}.')
        number = self._numbers[name]
        if tuple(number.shape) != tuple(shape):
            raise ValueError(f'{name!r} was asked for with shape {shape}, '
                             f'but is recorded with {tuple(number.shape)}.')
        self._used.add(name)
        return number
