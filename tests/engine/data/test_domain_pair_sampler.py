# Copyright (c) mic_mm authors. All rights reserved.
import itertools
import time

import pytest
import torch
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader, Dataset

from mic_mm.engine.data import DomainPairSampler, PairIndex
from mic_mm.engine.data.permutation_stream import PermutationStream


class _Pairs(Dataset):
    """Lengths of two domains; an item is its index."""

    def __init__(self, source=7, target=3):
        self.source = range(source)
        self.target = range(target)

    def __len__(self):
        return len(self.source)

    def __getitem__(self, index):
        return index


@pytest.fixture
def on_rank(monkeypatch):
    """Builds samplers as on other ranks."""

    def build(dataset, rank, world_size, **kwargs):
        monkeypatch.setattr(
            'mic_mm.engine.data.domain_pair_sampler.get_dist_info',
            lambda: (rank, world_size))
        return DomainPairSampler(dataset, **kwargs)

    return build


def _take(sampler, count):
    return list(itertools.islice(iter(sampler), count))


def test_every_pass_visits_every_image_once():
    pairs = _take(DomainPairSampler(_Pairs(7, 3), seed=0), 42)
    for first in range(0, 42, 7):
        assert sorted(p.source for p in pairs[first:first + 7]) == [*range(7)]
    for first in range(0, 42, 3):
        assert sorted(p.target for p in pairs[first:first + 3]) == [*range(3)]
    assert [p.position for p in pairs] == [*range(42)]
    assert {p.seed for p in pairs} == {0}


def test_passes_have_different_orders():
    pairs = _take(DomainPairSampler(_Pairs(50, 20), seed=0), 100)
    assert [p.source for p in pairs[:50]] != [p.source for p in pairs[50:]]
    assert [p.target for p in pairs[:20]] != [p.target for p in pairs[20:40]]


def test_equally_long_domains_have_different_orders():
    pairs = _take(DomainPairSampler(_Pairs(100, 100), seed=0), 100)
    equal = sum(p.source == p.target for p in pairs)
    assert equal < 10  # 1 is expected of independent orders


def test_seeds_give_different_and_reproducible_orders():
    first, again, other = (
        _take(DomainPairSampler(_Pairs(50, 20), seed=seed), 50)
        for seed in (0, 0, 1))
    assert first == again
    assert [p.source for p in first] != [p.source for p in other]
    assert [p.target for p in first] != [p.target for p in other]


def test_first_image_is_uniform_over_seeds():
    counts = torch.zeros(5)
    for seed in range(1000):
        counts[_take(DomainPairSampler(_Pairs(5, 5), seed=seed), 1)[0][0]] += 1
    assert (counts - 200).abs().max() < 60  # the standard deviation is 13


@pytest.mark.parametrize('world_size', [2, 3])
def test_ranks_together_see_what_one_process_sees(on_rank, world_size):
    dataset, batch_size, iterations = _Pairs(7, 3), 2, 6
    one = _take(
        DomainPairSampler(dataset, seed=0),
        world_size * batch_size * iterations)
    ranks = [
        _take(on_rank(dataset, rank, world_size, seed=0),
              batch_size * iterations) for rank in range(world_size)
    ]
    for it in range(iterations):
        total = world_size * batch_size
        together = one[it * total:(it + 1) * total]
        for rank in range(world_size):
            batch = ranks[rank][it * batch_size:(it + 1) * batch_size]
            # The rows that SeededDraws gives to this rank.
            assert batch == together[rank::world_size]


@pytest.mark.parametrize('skipped', [0, 1, 6, 7, 50])
def test_skip_equals_iterating(skipped):
    expected = _take(DomainPairSampler(_Pairs(), seed=0), skipped + 20)
    sampler = DomainPairSampler(_Pairs(), seed=0)
    sampler.skip(skipped)
    assert _take(sampler, 20) == expected[skipped:]


def test_skip_is_per_rank(on_rank):
    expected = _take(on_rank(_Pairs(), 1, 2, seed=0), 30)
    sampler = on_rank(_Pairs(), 1, 2, seed=0)
    sampler.skip(10)
    assert _take(sampler, 20) == expected[10:]


def test_skip_is_absolute():
    sampler = DomainPairSampler(_Pairs(), seed=0)
    sampler.skip(3)
    sampler.skip(5)
    assert next(iter(sampler)).position == 5


def test_skipping_and_starting_cost_a_shuffle_of_each_domain():
    dataset = _Pairs(25000, 3000)
    start = time.perf_counter()
    sampler = DomainPairSampler(dataset, seed=0)
    sampler.skip(10**12)
    first = _take(sampler, 100)
    assert first[0].position == 10**12
    assert time.perf_counter() - start < 1


def test_prefetching_and_abandoned_iterators_do_not_move_the_stream():
    sampler = DomainPairSampler(_Pairs(), seed=0)
    expected = _take(sampler, 4)
    _take(sampler, 11)
    for num_workers in (0, 2):
        loader = DataLoader(
            _Pairs(),
            batch_size=2,
            sampler=sampler,
            num_workers=num_workers,
            collate_fn=list)
        batches = list(itertools.islice(iter(loader), 2))
        assert [pair for batch in batches for pair in batch] == expected


def test_length_is_a_pass_over_the_source(on_rank):
    assert len(DomainPairSampler(_Pairs(7, 3), seed=0)) == 7
    assert len(on_rank(_Pairs(7, 3), 0, 2, seed=0)) == 4


@pytest.mark.parametrize('pairs_per_epoch, length', [(5, 5), ('source', 7),
                                                     ('target', 3)])
def test_epochs_end_and_go_on(pairs_per_epoch, length):
    endless = _take(DomainPairSampler(_Pairs(7, 3), seed=0), 3 * length)
    sampler = DomainPairSampler(
        _Pairs(7, 3), seed=0, pairs_per_epoch=pairs_per_epoch)
    assert len(sampler) == length
    pairs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        pairs += list(sampler)
    assert pairs == endless


def test_epochs_of_ranks_have_equal_length(on_rank):
    samplers = [
        on_rank(_Pairs(7, 3), rank, 2, seed=0, pairs_per_epoch='source')
        for rank in range(2)
    ]
    first, second = map(list, samplers)
    assert len(first) == len(second) == 4
    positions = sorted(pair.position for pair in first + second)
    assert positions == [*range(8)]


def test_set_epoch_does_not_move_an_endless_stream():
    sampler = DomainPairSampler(_Pairs(), seed=0)
    expected = _take(sampler, 5)
    sampler.set_epoch(3)
    assert _take(sampler, 5) == expected
    assert sampler.is_infinite


@pytest.mark.parametrize('pairs_per_epoch', [0, -1, 1.5, 'both'])
def test_unknown_epochs_are_refused(pairs_per_epoch):
    with pytest.raises(ValueError, match='pairs_per_epoch='):
        DomainPairSampler(_Pairs(), 0, pairs_per_epoch)


def test_skipping_with_epochs_is_refused():
    with pytest.raises(ValueError, match='EpochBasedTrainLoop'):
        DomainPairSampler(_Pairs(), 0, 'source').skip(1)


def test_skipping_backwards_is_refused():
    with pytest.raises(ValueError, match='-1'):
        DomainPairSampler(_Pairs(), 0).skip(-1)


def test_unpaired_datasets_are_refused():
    with pytest.raises(TypeError, match='mic_mm.DomainPairDataset.*range'):
        DomainPairSampler(range(4), 0)


def test_is_built_as_by_a_runner_without_a_seed():
    sampler = DATA_SAMPLERS.build(
        dict(type='mic_mm.DomainPairSampler'),
        default_args=dict(dataset=_Pairs(), seed=None))
    assert isinstance(next(iter(sampler)), PairIndex)
    assert isinstance(sampler.seed, int)


def test_permutation_stream__can_be_read_in_any_order():
    forward = PermutationStream(5, 0, 'source')
    expected = [forward[i] for i in range(20)]
    backward = PermutationStream(5, 0, 'source')
    assert [backward[i] for i in reversed(range(20))] == expected[::-1]
