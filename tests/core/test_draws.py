# Copyright (c) mic_mm authors. All rights reserved.
import torch

from mic_mm.core.draws import SeededDraws, seed_from


def test_uniform_depends_on_seed_iteration_and_name_only():
    first = SeededDraws(1, 2).uniform('a', 3)
    assert torch.equal(first, SeededDraws(1, 2).uniform('a', 3))
    for other in (SeededDraws(2, 2).uniform('a', 3),
                  SeededDraws(1, 3).uniform('a', 3),
                  SeededDraws(1, 2).uniform('b', 3)):
        assert not torch.equal(first, other)


def test_uniform_is_not_moved_by_the_global_generator():
    first = SeededDraws(0, 0).uniform('a', 4)
    torch.manual_seed(99)
    torch.rand(10)
    assert torch.equal(first, SeededDraws(0, 0).uniform('a', 4))


def test_uniform_stays_inside_its_range():
    numbers = SeededDraws(0, 0).uniform('a', 10000, low=-0.2, high=0.2)
    assert numbers.min() >= -0.2 and numbers.max() < 0.2
    assert abs(float(numbers.mean())) < 0.01


def test_rows_of_two_ranks_interleave_to_those_of_one():
    one = SeededDraws(0, 5).uniform_per_sample('a', 6, 2)
    ranks = [
        SeededDraws(0, 5, rank, 2).uniform_per_sample('a', 3, 2)
        for rank in range(2)
    ]
    assert torch.equal(torch.stack(ranks, dim=1).flatten(0, 1), one)


def test_permutation_is_shared_between_ranks():
    first = SeededDraws(0, 5, 0, 2).permutation('order', 4)
    assert torch.equal(first, SeededDraws(0, 5, 1, 2).permutation('order', 4))
    assert sorted(first.tolist()) == [0, 1, 2, 3]


def test_scoped_draws_differ_between_scopes():
    draws = SeededDraws(0, 0)
    assert torch.equal(
        draws.scoped('mic').uniform('mask', 3), draws.uniform('mic.mask', 3))
    assert torch.equal(
        draws.scoped('mic').uniform_per_sample('m', 2, 3),
        draws.uniform_per_sample('mic.m', 2, 3))
    assert torch.equal(
        draws.scoped('mic').permutation('o', 4),
        draws.permutation('mic.o', 4))


def test_seed_from_does_not_collide_on_sums():
    assert seed_from(0, 1) != seed_from(1, 0)
    assert 0 <= seed_from('x') < 2**63
