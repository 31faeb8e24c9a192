# Copyright (c) mic_mm authors. All rights reserved.
"""Continues the stream of pairs of a resumed run, whatever has been seen."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.runner import EpochBasedTrainLoop
from mmengine.runner.base_loop import BaseLoop

from .domain_pair_sampler import DomainPairSampler


def continue_pairs(loop: BaseLoop) -> None:
    """Have a training loop go on at its iteration, without loading what it has seen.

    From onedl-mmengine 0.10.12 on, ``IterBasedTrainLoop`` asks the sampler to
    skip what the run has seen.  Earlier ones, such as MMEngine 0.10.7, load
    every batch up to there, hours for a long run; their iterator is replaced
    by one that only counts.  ``EpochBasedTrainLoop`` begins its epoch again;
    here it goes on within it.

    Args:
        loop (BaseLoop): The training loop, before it runs.
    """
    sampler = getattr(loop.dataloader, 'sampler', None)
    if not isinstance(sampler, DomainPairSampler) or loop.iter == 0:
        return
    if isinstance(loop, EpochBasedTrainLoop):
        _continue_epoch(loop, sampler)
    elif not hasattr(getattr(loop, 'dataloader_iterator', None), 'skip_iter'):
        sampler.skip(loop.iter * loop.dataloader.batch_size)
        loop.dataloader_iterator = _Continued(
            iter(loop.dataloader), replayed=loop.iter)


def _continue_epoch(loop: EpochBasedTrainLoop,
                    sampler: DomainPairSampler) -> None:
    done = loop.iter - loop.epoch * len(loop.dataloader)
    if done > 0:
        sampler.begin_at(loop.epoch * len(sampler)
                         + done * loop.dataloader.batch_size)


class _Continued:
    """Gives nothing as often as the loop replays, then the batches."""

    def __init__(self, batches: Iterator, replayed: int) -> None:
        self._batches = batches
        self._replayed = replayed

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        if self._replayed:
            self._replayed -= 1
            return None
        return next(self._batches)
