# Copyright (c) mic_mm authors. All rights reserved.
import torch
from mmdet.models.task_modules import AssignResult
from mmengine.structures import InstanceData

from mic_mm.det.geometry import KeySampler

#        undecided, positives ..., background ...
ASSIGNED = [-1, 1, 1, 1, 0, 0, 0, 0, 0]


def sample(keys=None, num=4, pos_fraction=.5, assigned=ASSIGNED):
    count = len(assigned)
    truth = InstanceData(
        bboxes=torch.tensor([[0., 0, 9, 9]]), labels=torch.tensor([3]))
    result = AssignResult(1, torch.tensor(assigned), torch.zeros(count),
                          torch.full((count, ), -1))
    sampler = KeySampler(num, pos_fraction)
    sampled = sampler.sample(
        result, InstanceData(priors=torch.rand(count, 4)), truth, keys=keys)
    return sampled


def test_smallest_keys_win_among_positives_and_negatives():
    keys = torch.tensor([.0, .9, .1, .2, .8, .7, .6, .5, .4])
    sampled = sample(keys)
    assert sampled.pos_inds.tolist() == [2, 3]
    assert sampled.neg_inds.tolist() == [7, 8]
    assert sampled.avg_factor == 4


def test_negatives_fill_up_for_missing_positives():
    sampled = sample(torch.rand(9), num=4, assigned=[0] * 6 + [1, -1, -1])
    assert sampled.pos_inds.tolist() == [6]
    assert len(sampled.neg_inds) == 3


def test_without_positives_the_negatives_alone_are_counted():
    sampled = sample(torch.rand(3), num=8, assigned=[0, 0, -1])
    assert len(sampled.pos_inds) == 0
    assert sampled.avg_factor == 2


def test_without_keys_the_global_generator_decides():
    torch.manual_seed(3)
    first = [sample().neg_inds.tolist() for _ in range(6)]
    torch.manual_seed(3)
    assert [sample().neg_inds.tolist() for _ in range(6)] == first
    assert len({tuple(indices) for indices in first}) > 1
