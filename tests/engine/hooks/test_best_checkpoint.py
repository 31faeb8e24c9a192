# Copyright (c) mic_mm authors. All rights reserved.
"""Best checkpoints, and the validation that a run died before."""
import os
import shutil

import pytest
import torch

from mic_mm.testing.line_runs import Scores, names, read, train
from mic_mm.testing.processes import run_processes
from mic_mm.utils.checkpoint_file import CheckpointError

BEST = dict(evaluate=True, save_best='score', rule='greater')


@pytest.fixture(autouse=True)
def scores(monkeypatch):
    monkeypatch.setattr(Scores, 'calls', 0)
    monkeypatch.setattr(Scores, 'breaks_at', 0)


def best_score(path):
    return read(path)['message_hub']['runtime_info']['best_score']


def test_best_checkpoint_stays_until_there_is_a_better_one(tmp_path, monkeypatch):
    seen = []
    replace = os.replace

    def look(source, path):
        seen.append([name for name in names(tmp_path) if name.startswith('best')])
        replace(source, path)

    monkeypatch.setattr(os, 'replace', look)
    train(tmp_path, max_iters=6, max_keep_ckpts=1, **BEST)
    first, second = 'best_score_iter_2.pth', 'best_score_iter_4.pth'
    assert [first, second + '.partial'] in seen
    assert names(tmp_path) == [second, 'iter_6.pth']
    assert best_score(tmp_path / 'iter_6.pth') == 3


def test_copied_run_removes_nothing_of_the_original(tmp_path):
    options = dict(BEST, max_keep_ckpts=1)
    original, copy = tmp_path / 'original', tmp_path / 'copy'
    train(original, max_iters=2, **options)
    shutil.copytree(original, copy)
    before = names(original)
    assert before == ['best_score_iter_2.pth', 'iter_2.pth']
    train(copy, resume=True, load_from=copy / 'iter_2.pth', **options)
    assert names(copy) == ['best_score_iter_4.pth', 'iter_4.pth']
    assert names(original) == before


def test_validation_that_was_not_finished_is_made_up_for(tmp_path):
    options = dict(BEST, max_iters=6)
    Scores.breaks_at = 2
    with pytest.raises(InterruptedError):
        train(tmp_path, **options)
    assert names(tmp_path) == ['best_score_iter_2.pth', 'iter_2.pth', 'iter_4.pth']
    Scores.calls, Scores.breaks_at = 1, 0
    train(tmp_path, resume=True, **options)
    assert Scores.calls == 3
    assert names(tmp_path) == [
        'best_score_iter_4.pth', 'iter_2.pth', 'iter_4.pth', 'iter_6.pth'
    ]
    assert best_score(tmp_path / 'iter_6.pth') == 3


@pytest.mark.parametrize('iteration, again', [(2, 0), (4, 0), (6, 1)])
def test_validation_that_found_the_best_is_not_done_again(iteration, again, tmp_path):
    """Its checkpoint was written again, and knows; that of iteration 6 is not."""
    train(tmp_path, max_iters=6, **BEST)
    assert Scores.calls == 3
    load_from = tmp_path / f'iter_{iteration}.pth'
    Scores.calls = 2
    train(tmp_path, resume=True, load_from=load_from, max_iters=iteration, **BEST)
    assert Scores.calls - 2 == again


def test_validation_is_due_by_the_interval_of_the_iteration(tmp_path):
    """From iteration 3 on each is validated, not every second one."""
    loop = dict(
        type='IterBasedTrainLoop', max_iters=4, val_interval=2, dynamic_intervals=[(3, 1)])
    options = dict(BEST, train_cfg=loop, interval=1)
    Scores.breaks_at = 2
    with pytest.raises(InterruptedError):
        train(tmp_path, **options)
    Scores.calls, Scores.breaks_at = 1, 0
    train(tmp_path, resume=True, **options)
    assert 'best_score_iter_3.pth' in names(tmp_path)


@pytest.mark.parametrize('by_epoch, name, made_up', [(False, 'iter_8', 0), (True, 'epoch_1', 1)])
def test_no_validation_is_due_within_an_epoch(by_epoch, name, made_up, tmp_path):
    """Six iterations are an epoch, each of which ends with a validation."""
    options = dict(
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2), by_epoch=by_epoch, interval=1)
    train(tmp_path, **options)
    train(tmp_path, resume=True, load_from=tmp_path / f'{name}.pth', **options, **BEST)
    assert Scores.calls == made_up + 1


# Steps after iterations 4 and 5; the batches of one process are those of two.
ACCUMULATED = dict(accumulative_counts=4, max_iters=5, **BEST)


def train_on_two_processes(rank, folder):
    os.environ['LOCAL_RANK'] = str(rank)
    Scores.values = (3, 1, 2)
    train(folder, launcher='pytorch', batch_size=2, **ACCUMULATED)
    Scores.calls = 1
    train(
        f'{folder}_resumed',
        launcher='pytorch',
        batch_size=2,
        resume=True,
        load_from=f'{folder}/iter_2.pth',
        **ACCUMULATED)


def test_gradients_beside_a_best_checkpoint_are_those_of_all_processes(tmp_path):
    """Validation is after iteration 2, within an accumulation, and it is the best."""
    one, two = tmp_path / 'one', tmp_path / 'two'
    train(one, batch_size=4, **ACCUMULATED)
    run_processes(train_on_two_processes, 2, str(two))
    assert 'best_score_iter_2.pth' in names(two)
    ours, expected = (read(folder / 'iter_2.pth')['gradients'] for folder in (two, one))
    torch.testing.assert_close(ours['weight'], expected['weight'])
    # The best one itself is for evaluation, and holds neither.
    best = two / 'best_score_iter_2.pth'
    assert not {'gradients', 'optimizer'} & set(read(best))
    with pytest.raises(CheckpointError, match='cannot be resumed: it has no optimizer'):
        train(tmp_path / 'three', resume=True, load_from=best, **ACCUMULATED)
    weights = [
        read(folder / 'iter_5.pth')['state_dict']['weight']
        for folder in (one, two, tmp_path / 'two_resumed')
    ]
    assert torch.equal(weights[1], weights[2])
    torch.testing.assert_close(weights[0], weights[1])


def test_logs_of_validation_have_metrics_only(tmp_path):
    train(tmp_path, max_iters=2, **BEST)
    kept = read(tmp_path / 'iter_2.pth')['message_hub']['runtime_info']
    # MMEngine logs what begins with the mode, whatever it is.
    assert [key for key in kept if key.startswith(('train', 'val', 'test'))] == []
