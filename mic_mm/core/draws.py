# Copyright (c) mic_mm authors. All rights reserved.
"""Random numbers of one training iteration, behind one small interface."""
from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod

import torch
from torch import Tensor


def seed_from(*parts: int | str) -> int:
    """Derive a 63-bit seed from ``parts``.

    Python's own ``hash`` of a string differs between processes and
    ``seed + iteration`` collides (seed 0 at iteration 1 equals seed 1 at
    iteration 0), hence a digest.
    """
    digest = hashlib.blake2b(
        '/'.join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, 'little') >> 1


class RandomDraws(ABC):
    """Named random numbers for the operations of one training iteration.

    Operations ask for numbers *by name* and never touch a global generator.
    Production code uses :class:`SeededDraws`; a test may replay recorded numbers
    through the same interface.  All results are CPU tensors, so that
    ``tolist()`` makes them numbers of the host without waiting for a device.
    """

    @abstractmethod
    def uniform(self,
                name: str,
                *shape: int,
                low: float = 0.,
                high: float = 1.) -> Tensor:
        """Uniform float32 numbers in ``[low, high)``, equal on every rank."""

    @abstractmethod
    def uniform_per_sample(self,
                           name: str,
                           batch_size: int,
                           *shape: int,
                           low: float = 0.,
                           high: float = 1.) -> Tensor:
        """Uniform float32 numbers of shape ``(batch_size, *shape)``.

        They are the rows of this rank of one table for the batch of all
        ranks.
        """

    @abstractmethod
    def permutation(self, name: str, n: int) -> Tensor:
        """A random permutation of ``0..n-1`` (int64), equal on every rank."""

    def scoped(self, prefix: str) -> RandomDraws:
        """A view on these draws in which every name starts ``prefix.``."""
        return _ScopedDraws(self, prefix)


class _ScopedDraws(RandomDraws):

    def __init__(self, draws: RandomDraws, prefix: str) -> None:
        self._draws = draws
        self._prefix = prefix

    def uniform(self, name: str, *shape: int, low: float = 0., high: float = 1.) -> Tensor:
        return self._draws.uniform(
            f'{self._prefix}.{name}', *shape, low=low, high=high)

    def uniform_per_sample(self, name: str, batch_size: int, *shape: int,
                           low: float = 0., high: float = 1.) -> Tensor:
        return self._draws.uniform_per_sample(
            f'{self._prefix}.{name}', batch_size, *shape, low=low, high=high)

    def permutation(self, name: str, n: int) -> Tensor:
        return self._draws.permutation(f'{self._prefix}.{name}', n)


class SeededDraws(RandomDraws):
    r"""Draws that are a pure function of ``(seed, iteration, name)``.

    Nothing is carried from one iteration to the next, so a resumed run draws
    what the uninterrupted run would have drawn.  Rank :math:`r` of :math:`N`
    takes the rows :math:`r, r + N, r + 2N, \ldots` of a per-sample table,
    which is how :class:`mic_mm.DomainPairSampler` deals the samples out: N
    ranks with B samples draw what one rank draws for the same N·B samples.

    Args:
        seed (int): Seed of the run.
        iteration (int): Index of the training iteration, from 0.
        rank (int): Rank of this process. Defaults to 0.
        world_size (int): Number of processes. Defaults to 1.
    """

    def __init__(self,
                 seed: int,
                 iteration: int,
                 rank: int = 0,
                 world_size: int = 1) -> None:
        self.seed = seed
        self.iteration = iteration
        self.rank = rank
        self.world_size = world_size

    def _generator(self, name: str) -> torch.Generator:
        seed = seed_from(self.seed, self.iteration, name)
        return torch.Generator().manual_seed(seed)

    def uniform(self, name: str, *shape: int, low: float = 0., high: float = 1.) -> Tensor:
        numbers = torch.rand(shape, generator=self._generator(name))
        return numbers.mul_(high - low).add_(low)

    def uniform_per_sample(self, name: str, batch_size: int, *shape: int,
                           low: float = 0., high: float = 1.) -> Tensor:
        table = self.uniform(
            name, batch_size * self.world_size, *shape, low=low, high=high)
        return table[self.rank::self.world_size]

    def permutation(self, name: str, n: int) -> Tensor:
        return torch.randperm(n, generator=self._generator(name))
