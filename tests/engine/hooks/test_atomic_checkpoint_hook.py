# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints of runs that die, at any step of writing them."""
import builtins
import os
import signal

import pytest
import torch

from mic_mm.engine.checkpoints import atomic_file
from mic_mm.testing.line_runs import ITERATIONS, make_runner, names, read, train
from mic_mm.testing.processes import exit_code_of
from mic_mm.utils.checkpoint_file import CheckpointError


def assert_equal_runs(actual, expected):
    assert actual['state_dict']['weight'].tolist() == expected['state_dict']['weight'].tolist()
    momentum = [c['optimizer']['state'][0]['momentum_buffer'] for c in (actual, expected)]
    assert torch.equal(*momentum)
    assert actual['param_schedulers'] == expected['param_schedulers']
    log = [c['message_hub']['log_scalars']['train/loss']['log'] for c in (actual, expected)]
    assert torch.equal(*log) and len(log[0]) == ITERATIONS


def die_at_step(step, work_dir):
    """Train, and be killed before the given step of writing checkpoints.

    A step is half of a file, the rest of it, its synchronisation, a renaming
    or a removal.
    """
    left = step

    def counted(function):

        def call(*args, **kwargs):
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return function(*args, **kwargs)

        return call

    class InHalves:

        def __init__(self, *args):
            self.file = builtins.open(*args)

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            for part in (data[:len(data) // 2], data[len(data) // 2:]):
                counted(self.file.write)(part)
                self.file.flush()

    atomic_file.open = InHalves
    for name in ('fsync', 'replace', 'remove'):
        setattr(os, name, counted(getattr(os, name)))
    train(work_dir, max_keep_ckpts=1)


# For each of two checkpoints, and each time for the checkpoint and for
# last_checkpoint: half of it, the rest, two fsync, a renaming; one removal.
STEPS = 2 * 2 * 5 + 1


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    train(folder, max_keep_ckpts=1)
    assert names(folder) == [f'iter_{ITERATIONS}.pth']
    return read(folder / f'iter_{ITERATIONS}.pth')


@pytest.mark.parametrize('step', range(STEPS))
def test_a_run_that_dies_while_it_writes_leaves_a_checkpoint(step, whole, tmp_path):
    assert exit_code_of(die_at_step, step, tmp_path) == -signal.SIGKILL
    latest = tmp_path / 'last_checkpoint'
    assert latest.exists() == (step >= 9)
    if latest.exists():
        assert read(latest.read_text())['meta']['iter'] in (2, 4)
    train(tmp_path, max_keep_ckpts=1, resume=True)
    assert names(tmp_path) == [f'iter_{ITERATIONS}.pth']
    assert latest.read_text() == str(tmp_path / f'iter_{ITERATIONS}.pth')
    assert_equal_runs(read(latest.read_text()), whole)


def test_all_steps_are_tried(tmp_path):
    assert exit_code_of(die_at_step, STEPS, tmp_path) == 0


def test_checkpoints_of_mmengine_can_be_resumed(whole, tmp_path):
    train(tmp_path, hook='CheckpointHook', max_iters=2)
    with pytest.raises(Exception, match='weights_only'):
        read(tmp_path / 'iter_2.pth')
    train(tmp_path, resume=True)
    assert_equal_runs(read(tmp_path / 'iter_4.pth'), whole)


def test_log_goes_on_as_objects_of_mmengine(tmp_path):
    train(tmp_path, max_iters=2)
    runner = make_runner(tmp_path, resume=True)
    runner.train()
    log, counts = runner.message_hub.get_scalar('train/loss').data
    assert len(log) == ITERATIONS and counts.tolist() == [1] * ITERATIONS
    assert runner.message_hub.get_scalar('train/loss').mean() == log.mean()


@pytest.mark.parametrize('iteration', range(1, 7))
def test_gradients_of_an_unfinished_accumulation_survive(iteration, accumulated, tmp_path):
    train(
        tmp_path,
        resume=True,
        load_from=accumulated / f'iter_{iteration}.pth',
        accumulative_counts=4,
        max_iters=7)
    ours, theirs = (read(folder / 'iter_7.pth') for folder in (tmp_path, accumulated))
    assert torch.equal(ours['state_dict']['weight'], theirs['state_dict']['weight'])


@pytest.fixture(scope='module')
def accumulated(tmp_path_factory):
    """Steps after iterations 4 and 7, checkpoints after each."""
    folder = tmp_path_factory.mktemp('accumulated')
    train(folder, accumulative_counts=4, max_iters=7, interval=1)
    pending = ['gradients' in read(folder / f'iter_{i}.pth') for i in range(1, 8)]
    assert pending == [True, True, True, False, True, True, False]
    start, first, second = (
        read(folder / f'iter_{i}.pth')['state_dict']['weight'] for i in (1, 4, 7))
    assert not torch.equal(start, first) and not torch.equal(first, second)
    return folder


def test_evaluation_alone_writes_nothing(tmp_path):
    make_runner(tmp_path, evaluate=True, save_best=None).val()
    assert names(tmp_path) == []


def damaged(path):
    path.write_bytes(path.read_bytes()[:500])
    return 'is no checkpoint of PyTorch, or is damaged'


def published(path):
    torch.save(dict(meta={}, state_dict=read(path)['state_dict']), path)
    return 'cannot be resumed: it has no message_hub, optimizer'


def of_another_model(path):
    torch.save(dict(read(path), state_dict=torch.nn.Linear(3, 3).state_dict()), path)
    return r'(?s)weights of another shape.*weight: \(3, 3\) in the checkpoint'


def no_weights(path):
    torch.save(dict(read(path), state_dict=dict(a=1)), path)
    return 'has no weights'


@pytest.mark.parametrize('change', [damaged, published, of_another_model, no_weights])
@pytest.mark.parametrize('named', [True, False])
def test_unusable_files_are_refused_by_name(change, named, tmp_path):
    train(tmp_path, max_iters=2)
    path = tmp_path / 'iter_2.pth'
    reason = change(path)
    runner = make_runner(tmp_path, resume=True, load_from=path if named else None)
    with pytest.raises(CheckpointError, match=reason) as info:
        runner.train()
    assert str(path) in str(info.value)


def test_damaged_file_to_start_from_is_refused_by_name(tmp_path):
    path = tmp_path / 'start.pth'
    path.write_bytes(b'PK no archive')
    runner = make_runner(tmp_path, load_from=path)
    with pytest.raises(CheckpointError, match=str(path)):
        runner.train()
