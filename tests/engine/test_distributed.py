# Copyright (c) mic_mm authors. All rights reserved.
"""Two processes with half of the batch each equal one with all of it.

Each case is trained for five iterations, with a backward per objective or one
backward for all, with and without gradient accumulation; masked images take
part from the third iteration on.
"""
import itertools

import pytest
import torch
from mmengine.optim import OptimWrapper

from mic_mm.engine import DistributedDataParallel, SAMOptimWrapper, UDADistributedDataParallel
from mic_mm.testing.processes import results_of_processes
from mic_mm.testing.two_process_models import DETECTORS, MODELS_TO_TRAIN, build, data_of_rank

pytestmark = pytest.mark.usefixtures('one_thread')
ITERATIONS = 5
WRAPPERS = dict(
    per_objective=UDADistributedDataParallel, joint=DistributedDataParallel)
# Task, backward, accumulative_counts, whether rank 0 has no pseudo-boxes.
CASES = [
    case for case in itertools.product(MODELS_TO_TRAIN, WRAPPERS, (1, 2),
                                       (False, ))
    # Two passes need a backward each.
    if case[:2] != ('cls_sam', 'joint')
] + [(task, backward, 1, True) for task in DETECTORS for backward in WRAPPERS]


def optimizer_of(task, model, accumulative_counts):
    sgd = torch.optim.SGD([p for p in model.parameters() if p.requires_grad],
                          lr=0.001,
                          momentum=0.9)
    kind = SAMOptimWrapper if task == 'cls_sam' else OptimWrapper
    wrapper = kind(sgd, accumulative_counts=accumulative_counts)
    # The last of five iterations completes a step.
    wrapper.initialize_count_status(model, 0, ITERATIONS)
    return wrapper


def train(case, rank=0, world_size=1):
    """One process has a backward per objective, whatever two have."""
    task, backward, accumulative_counts, has_dark = case
    model = build(task)
    wrapped = model
    if world_size > 1:
        wrapped = WRAPPERS[backward](model, device_ids=[rank])
    optim_wrapper = optimizer_of(task, model, accumulative_counts)
    logs = []
    for iteration in range(ITERATIONS):
        wrapped.train()
        model.iteration = iteration
        if iteration % accumulative_counts == 0:
            model.update_teachers()
        data = data_of_rank(task, iteration, rank, world_size, has_dark)
        log = wrapped.train_step(data, optim_wrapper)
        logs.append({name: float(value) for name, value in log.items()})
    return model.state_dict(), logs


def jobs(rank):
    return {case: train(case, rank, 2) for case in CASES}


@pytest.fixture(scope='module')
def two_processes():
    """What the jobs give on each of two processes."""
    return results_of_processes(jobs, 2)


def assert_close(actual, expected, name=''):
    deviation = (actual - expected).abs().max()
    assert deviation <= 1e-5 * expected.abs().max(), f'{name}: {deviation}'


@pytest.fixture(scope='module')
def one_process():
    """The same on one process, by case; how two do the backward is no part."""
    results = {}

    def run(case):
        task, _, *others = case
        key = (task, *others)
        if key not in results:
            results[key] = train(case)
        return results[key]

    return run


@pytest.mark.parametrize('case', CASES, ids=lambda c: '-'.join(map(str, c)))
def test_two_processes_equal_one(case, one_process, two_processes):
    expected, logs = one_process(case)
    (first, first_logs), (second, second_logs) = (
        results[case] for results in two_processes)
    for name, value in expected.items():
        assert torch.equal(first[name], second[name]), f'{name}: ranks differ'
        assert_close(first[name].double(), value.double(), name)
    for ours, theirs, single in zip(first_logs, second_logs, logs):
        assert (ours['loss'] + theirs['loss']) / 2 == pytest.approx(
            single['loss'], rel=1e-4)
    # The comparison is worth something only if the target was trained on.
    for objective in ('self_training.', 'mic.'):
        assert any(
            value > 0 for log in logs for key, value in log.items()
            if key.startswith(objective) and 'loss' in key)
    assert not any(key.startswith('mic.') for key in logs[1])
    if case[-1]:
        for ours, theirs in zip(first_logs, second_logs):
            assert ours['self_training.labelled_share'] == 0
            assert theirs['self_training.labelled_share'] > 0
