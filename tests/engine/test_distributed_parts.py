# Copyright (c) mic_mm authors. All rights reserved.
"""What processes share: gradients, weights of images and random numbers."""
import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mic_mm.core import LabelledImages
from mic_mm.engine import (
    DistributedDataParallel,
    DomainPairSampler,
    RandomStreamsHook,
    UDADistributedDataParallel,
)
from mic_mm.engine.distributed import average_gradients
from mic_mm.testing import batches
from mic_mm.testing.processes import results_of_processes
from mic_mm.testing.two_process_models import DETECTORS, build, data_of_rank

pytestmark = pytest.mark.usefixtures('one_thread')


def gradients_of_rank(rank):
    """Parameter 0 has a gradient on both ranks, 1 on rank 1, 2 nowhere."""
    parameters = [nn.Parameter(torch.zeros(2)) for _ in range(3)]
    parameters[0].grad = torch.full((2, ), 1. + rank)
    if rank == 1:
        parameters[1].grad = torch.full((2, ), 3.)
    average_gradients(parameters)
    return [p.grad for p in parameters]


def labelled_loss_gradient(task, weights, rank=0, world_size=1):
    """Gradient of four images, of which those with weight 1 have labels."""
    model = build(task)
    data = model.data_preprocessor(batches.det_batch(3, count=4), True)
    for sample, weight in zip(data['data_samples'], weights):
        sample.set_field(weight, 'loss_weight')
    images = LabelledImages(data['inputs'][rank::world_size],
                            data['data_samples'][rank::world_size])
    losses = model.weighted_loss(model.student, images)
    if losses:
        model.parse_losses(losses)[0].backward()
    parameters = list(model.student.parameters())
    average_gradients(parameters)
    return [p.grad for p in parameters if p.grad is not None]


# Images 0 and 2 go to rank 0, images 1 and 3 to rank 1.
LABELLED = dict(uneven=(1., 1., 0., 1.), one_rank=(0., 1., 0., 1.))


def random_draws(rank=0, world_size=1):
    """What the objectives, the loader and the layers of a process draw."""
    model = build('cls')
    data = model.data_preprocessor(data_of_rank('cls', 0, rank, world_size), True)
    model.iteration = 11
    model.update_teachers()
    draws = model.prepare(data).draws.scoped('mic')
    RandomStreamsHook().before_train_iter(SimpleNamespace(seed=7, iter=11), 0)
    domains = SimpleNamespace(source=range(9), target=range(5))
    pairs = itertools.islice(DomainPairSampler(domains, seed=7), 8 // world_size)
    return dict(
        shared=draws.uniform('strength', 3),
        order=draws.permutation('classes', 5),
        per_sample=draws.uniform_per_sample('mask', 4 // world_size, 2),
        global_=torch.rand(3),
        pairs=[pair[:3] for pair in pairs])


def error_of_synchronized_batch_norm():
    layers = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    layers = nn.SyncBatchNorm.convert_sync_batchnorm(layers)
    with pytest.raises(ValueError) as info:
        DistributedDataParallel(layers)
    return str(info.value)


def jobs(rank):
    results = dict(
        gradients=gradients_of_rank(rank),
        draws=random_draws(rank, 2),
        synchronized=error_of_synchronized_batch_norm())
    for case, weights in LABELLED.items():
        for task in DETECTORS:
            results[case, task] = labelled_loss_gradient(task, weights, rank, 2)
    return results


@pytest.fixture(scope='module')
def two_processes():
    """What the jobs give on each of two processes."""
    return results_of_processes(jobs, 2)


def test_missing_gradients_count_as_zero_and_unused_ones_stay_none(
        two_processes):
    for results in two_processes:
        grads = results['gradients']
        assert grads[0].tolist() == [1.5, 1.5]
        assert grads[1].tolist() == [1.5, 1.5]
        assert grads[2] is None


@pytest.mark.parametrize('task', DETECTORS)
@pytest.mark.parametrize('case', sorted(LABELLED))
def test_each_labelled_image_counts_the_same_on_every_rank(
        case, task, two_processes):
    expected = labelled_loss_gradient(task, LABELLED[case])
    largest = max(float(grad.abs().max()) for grad in expected)
    assert largest > 0
    for results in two_processes:
        assert len(results[case, task]) == len(expected)
        for ours, theirs in zip(results[case, task], expected):
            assert float((ours - theirs).abs().max()) <= 1e-5 * largest


def test_single_process_leaves_gradients_alone():
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    average_gradients([parameter])
    assert parameter.grad.item() == 1.


def test_plain_model_is_refused_by_name():
    with pytest.raises(TypeError, match='Linear'):
        UDADistributedDataParallel(nn.Linear(1, 1))


def test_random_numbers_agree_or_differ_between_processes(two_processes):
    first, second = (results['draws'] for results in two_processes)
    whole = random_draws()
    for name in ('shared', 'order'):
        assert torch.equal(first[name], whole[name])
        assert torch.equal(second[name], whole[name])
    for rank, ours in enumerate((first, second)):
        assert torch.equal(ours['per_sample'], whole['per_sample'][rank::2])
        assert ours['pairs'] == whole['pairs'][rank::2]
    assert not torch.equal(first['per_sample'], second['per_sample'])
    assert torch.equal(first['global_'], whole['global_'])
    assert not torch.equal(first['global_'], second['global_'])


def test_synchronized_batch_norm_of_the_cpu_is_refused(two_processes):
    for results in two_processes:
        assert 'layers are SyncBatchNorm, which PyTorch has for GPUs only' in (
            results['synchronized'])
