# Copyright (c) mic_mm authors. All rights reserved.
"""A killed and resumed run equals the uninterrupted one, bit for bit."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mic_mm.testing import models
from mic_mm.testing.datasets import CLASSES, write_domain

TRAIN_TOOL = Path(__file__).parents[2] / 'tools' / 'train.py'
ITERATIONS, KILLED_AT, CHECKPOINT_INTERVAL = 6, 5, 3
TASKS = {
    'seg': ('mmseg', 'UDASegmentor', 'segmentor', models.tiny_segmentor),
    'cls': ('mmpretrain', 'UDAClassifier', 'classifier',
            models.tiny_classifier),
    'det': ('mmdet', 'UDADetector', 'detector', models.tiny_detector),
}
KILL_HOOK = '''
import os
import signal

from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class KillHook(Hook):
    def after_train_iter(self, runner, batch_idx, **kwargs):
        if runner.iter + 1 == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
'''


def make_config(task, folder):
    scope, wrapper, key, make = TASKS[task]
    student = make(num_classes=len(CLASSES))
    if task == 'seg':  # draws from the global generator
        student['decode_head']['dropout_ratio'] = 0.5
        student['data_preprocessor']['size'] = (16, 16)
    host = 'ClassMixSelfTraining' if task == 'seg' else 'SelfTraining'
    return dict(
        default_scope=scope,
        model={
            'type': f'mic_mm.{wrapper}',
            key: student,
            'teacher': dict(type='mic_mm.EMATeacher', alpha=0.9),
            'objectives': dict(
                source=dict(type='mic_mm.SourceSupervision'),
                self_training=dict(
                    type=f'mic_mm.{host}', pseudo_threshold=0.4),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    begin=2,
                    color_aug=dict(type='mic_mm.ColorAugmentation'),
                    mask=dict(
                        type='mic_mm.BlockMask', ratio=0.5, block_size=8)))
        },
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='mic_mm.DomainPairSampler'),
            dataset=dict(
                type='mic_mm.DomainPairDataset',
                source=write_domain(task, folder / 'source', 7),
                target=write_domain(task, folder / 'target', 5)),
            collate_fn=dict(type='pseudo_collate')),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=ITERATIONS),
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='AdamW', lr=0.001)),
        param_scheduler=dict(
            type='PolyLR', by_epoch=False, eta_min=0., end=ITERATIONS),
        default_hooks=dict(
            checkpoint=dict(
                type='CheckpointHook',
                by_epoch=False,
                interval=CHECKPOINT_INTERVAL),
            ema_teacher=dict(type='mic_mm.EMATeacherHook'),
            random_streams=dict(type='mic_mm.RandomStreamsHook')),
        log_processor=dict(by_epoch=False))


def run_training(config, *arguments):
    return subprocess.run(
        [sys.executable, TRAIN_TOOL, config, *arguments],
        env=dict(
            os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(config.parent)),
        cwd=config.parent,
        capture_output=True,
        text=True)


@pytest.mark.parametrize('task', sorted(TASKS))
def test_killed_run_resumes_to_the_same_weights(task, tmp_path):
    cfg = make_config(task, tmp_path)
    if task != 'cls':  # a run without a seed resumes with that of its start
        cfg['randomness'] = dict(seed=3)
    whole = tmp_path / 'whole.py'
    Config(cfg).dump(whole)
    (tmp_path / 'kill_hook.py').write_text(KILL_HOOK.format(at=KILLED_AT))
    killed = tmp_path / 'killed.py'
    Config(
        dict(
            cfg,
            custom_imports=dict(imports=['kill_hook']),
            custom_hooks=[dict(type='mmengine.KillHook')])).dump(killed)
    work_dir = tmp_path / 'resumed'

    run = run_training(killed, '--work-dir', work_dir)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert not (work_dir / f'iter_{ITERATIONS}.pth').exists()
    if task == 'cls':
        first = torch.load(
            work_dir / f'iter_{CHECKPOINT_INTERVAL}.pth', weights_only=False)
        cfg['randomness'] = dict(seed=first['meta']['seed'])
        without_seed = Config(dict(cfg, randomness=dict(seed=None)))
        without_seed.dump(tmp_path / 'resumed.py')
        Config(cfg).dump(whole)
    else:
        Config(cfg).dump(tmp_path / 'resumed.py')
    run = run_training(tmp_path / 'resumed.py', '--work-dir', work_dir,
                       '--resume', 'auto')
    assert run.returncode == 0, run.stderr
    assert f'resumed epoch: 0, iter: {CHECKPOINT_INTERVAL}' in (
        run.stdout + run.stderr)
    run = run_training(whole, '--work-dir', tmp_path / 'whole')
    assert run.returncode == 0, run.stderr

    actual, expected = (
        torch.load(
            tmp_path / name / f'iter_{ITERATIONS}.pth', weights_only=False)
        for name in ('resumed', 'whole'))
    assert actual['state_dict'].keys() == expected['state_dict'].keys()
    assert any(key.startswith('teacher.') for key in actual['state_dict'])
    assert int(actual['state_dict']['teacher.steps']) == ITERATIONS
    for name, value in expected['state_dict'].items():
        assert torch.equal(actual['state_dict'][name], value), name
    for index, state in expected['optimizer']['state'].items():
        for name, value in state.items():
            assert torch.equal(actual['optimizer']['state'][index][name],
                               value), (index, name)
