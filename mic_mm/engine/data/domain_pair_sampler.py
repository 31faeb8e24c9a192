# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Optional, Union

from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mic_mm.registry import DATA_SAMPLERS

from .domain_pair_dataset import DOMAINS, DomainPairDataset
from .pair_index import PairIndex
from .permutation_stream import PermutationStream


@DATA_SAMPLERS.register_module()
class DomainPairSampler(Sampler):
    """Endlessly pairs source and target images, each domain in its own order.

    Each domain is a :class:`PermutationStream`: all its images in random
    order, then all of them in another order, and so on.  Pair ``p`` takes
    the ``p``-th image of both streams, whatever the lengths of the datasets;
    equally long datasets still get different orders.  Starting costs no more
    than shuffling each dataset once.

    Process ``r`` of ``N`` takes the pairs ``r, r + N, r + 2N, ...``, so that
    N processes with batches of B see in each iteration what one process with
    batches of N*B would see.

    Args:
        dataset (DomainPairDataset): The paired dataset.
        seed (int, optional): Seed of both streams and of the augmentation.
            Defaults to None, a random one, the same on all processes.
            A runner gives its own.
        pairs_per_epoch (int | str, optional): End an epoch after this many
            pairs of all processes together, as ``EpochBasedTrainLoop`` needs
            it, or after a pass over a domain, ``'source'`` or ``'target'``.
            The next epoch goes on where the streams were. Defaults to None:
            endless, for ``IterBasedTrainLoop``, in which MIC is trained.

    Raises:
        TypeError: If ``dataset`` is not paired.
        ValueError: If ``pairs_per_epoch`` is unknown.
    """

    def __init__(self,
                 dataset: DomainPairDataset,
                 seed: Optional[int] = None,
                 pairs_per_epoch: Union[int, str, None] = None) -> None:
        self.lengths = _lengths(dataset)
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.pairs_per_epoch = self._parse(pairs_per_epoch)
        self._epoch = 0
        self._start = 0

    def __iter__(self) -> Iterator[PairIndex]:
        """Yield the pairs of this process.

        Nothing is remembered between two calls, so that neither prefetching
        workers nor an abandoned iterator moves the stream.
        """
        source, target = (
            PermutationStream(self.lengths[domain], self.seed, domain)
            for domain in DOMAINS)
        for step in self._steps():
            position = step * self.world_size + self.rank
            yield PairIndex(source[position], target[position], position,
                            self.seed)

    def _steps(self) -> Iterator[int]:
        if self.is_infinite:
            return itertools.count(self._start)
        start = self._epoch * len(self)
        return iter(range(max(start, self._start), start + len(self)))

    def __len__(self) -> int:
        """Pairs of this process in an epoch, or in a pass over the source."""
        pairs = self.pairs_per_epoch or self.lengths['source']
        return -(-pairs // self.world_size)

    @property
    def is_infinite(self) -> bool:
        """Whether the stream goes on without epochs."""
        return self.pairs_per_epoch is None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch to iterate; an endless stream has none."""
        self._epoch = epoch

    def skip(self, num_samples: int) -> None:
        """Start at a later pair, in constant time, to resume a run.

        MMEngine's ``IterBasedTrainLoop`` calls it from onedl-mmengine 0.10.12
        on; before, :class:`mic_mm.RandomStreamsHook` does.

        Args:
            num_samples (int): Number of pairs of this process to leave out,
                counted from the start of the stream.

        Raises:
            ValueError: If ``num_samples`` is negative or the stream has
                epochs.
        """
        if num_samples < 0:
            raise ValueError('DomainPairSampler.skip: num_samples='
                             f'{num_samples} is negative.')
        if not self.is_infinite:
            raise ValueError(
                'DomainPairSampler: pairs_per_epoch='
                f'{self.pairs_per_epoch} is meant for EpochBasedTrainLoop. '
                'Remove it from train_dataloader.sampler to train by '
                'iterations.')
        self.begin_at(num_samples)

    def begin_at(self, num_samples: int) -> None:
        """:meth:`skip`, for streams with epochs too.

        Args:
            num_samples (int): Number of pairs of this process to leave out,
                counted from the start of the first epoch.
        """
        self._start = num_samples

    def _parse(self, pairs_per_epoch: Union[int, str, None]) -> Optional[int]:
        if pairs_per_epoch is None:
            return None
        if isinstance(pairs_per_epoch, str):
            pairs_per_epoch = self.lengths.get(pairs_per_epoch, 0)
        if not isinstance(pairs_per_epoch, int) or pairs_per_epoch < 1:
            raise ValueError(
                f'DomainPairSampler: pairs_per_epoch={pairs_per_epoch!r} is '
                "neither a positive integer nor 'source' or 'target' nor "
                'None (endless).')
        return pairs_per_epoch


def _lengths(dataset: DomainPairDataset) -> dict[str, int]:
    parts = [getattr(dataset, domain, None) for domain in DOMAINS]
    if any(part is None for part in parts):
        raise TypeError(
            'DomainPairSampler pairs the two domains of a '
            f'mic_mm.DomainPairDataset, but got a {type(dataset).__name__}. '
            "Set train_dataloader.dataset=dict(type='mic_mm."
            "DomainPairDataset', source=..., target=...).")
    return dict(zip(DOMAINS, map(len, parts)))
