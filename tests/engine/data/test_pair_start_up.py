# Copyright (c) mic_mm authors. All rights reserved.
"""Pairing costs nothing that grows with the number of possible pairs."""
import gc
import itertools
import tracemalloc

import pytest
import torch
from mmengine.structures import BaseDataElement

from mic_mm.engine.data import DomainPairDataset, DomainPairSampler


class Images:
    """A dataset that lists nothing."""

    metainfo = dict(classes=('a', ))

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return dict(inputs=index, data_samples=BaseDataElement())


def start(source, target):
    """Peak of Python's memory and what is left: objects, bytes of tensors."""
    gc.collect()
    before = len(gc.get_objects())
    tracemalloc.start()
    dataset = DomainPairDataset(source=Images(source), target=Images(target))
    pairs = iter(DomainPairSampler(dataset, seed=0))
    indices = list(itertools.islice(pairs, 3))
    items = [dataset[index] for index in indices]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    orders = [
        stream._order for stream in gc.get_objects()
        if type(stream).__name__ == 'PermutationStream'
        and stream.length in (source, target)
    ]
    grown = len(gc.get_objects()) - before
    assert len(items) == 3
    return peak, grown, sum(order.nbytes for order in orders)


@pytest.mark.parametrize('source, target', [(100_000, 100_003),
                                            (24_966, 2_975)])
def test_nothing_is_kept_per_pair(source, target):
    start(10, 11)  # what is set up once
    _, few_objects, _ = start(10, 11)
    peak, objects, tensors = start(source, target)
    assert peak < 100_000  # bytes; a list of the pairs would take 10**11
    assert objects < few_objects + 50
    # An order of each domain.
    assert tensors == 8 * (source + target)


def test_starting_late_is_as_cheap_as_starting():
    dataset = DomainPairDataset(
        source=Images(100_000), target=Images(99_999))
    shuffled = []
    randperm = torch.randperm

    def counting(*args, **kwargs):
        shuffled.append(args)
        return randperm(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, 'randperm', counting)
        sampler = DomainPairSampler(dataset, seed=0)
        sampler.skip(10**9)
        first = next(iter(sampler))
    assert first.position == 10**9
    assert len(shuffled) == 2
