# Copyright (c) mic_mm authors. All rights reserved.
"""Ways to train on several devices that are refused, or trained plainly."""
import os
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import MMSeparateDistributedDataParallel
from mmengine.runner import FlexibleRunner, Runner

from mic_mm.engine.parallelism import check_config, check_runner
from mic_mm.testing.datasets import write_domain
from mic_mm.testing.models import tiny_classifier
from mic_mm.testing.processes import exit_codes_of_launched

TRAIN_TOOL = str(Path(__file__).parents[2] / 'tools' / 'train.py')
UDA = dict(
    type='mic_mm.UDAClassifier',
    classifier=tiny_classifier(num_classes=2),
    objectives=dict(source=dict(type='mic_mm.SourceSupervision')))


def plain_config(folder, batch_size):
    dataset = write_domain('cls', folder / 'data', 8)
    # Without random transforms, which depend on the process.
    dataset['pipeline'] = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    return dict(
        default_scope='mmpretrain',
        model=tiny_classifier(num_classes=2, norm='GN'),
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=0,
            sampler=dict(type='InfiniteSampler', shuffle=False),
            dataset=dataset,
            collate_fn=dict(type='pseudo_collate')),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        default_hooks=dict(
            checkpoint=dict(type='mic_mm.AtomicCheckpointHook', by_epoch=False, interval=3),
            random_streams=dict(type='mic_mm.RandomStreamsHook')),
        model_wrapper_cfg=dict(type='mic_mm.DistributedDataParallel'),
        randomness=dict(seed=0))


@pytest.mark.parametrize('place, kind', [
    ('model_wrapper_cfg', 'MMFullyShardedDataParallel'),
    ('model_wrapper_cfg', 'mmengine.MMFullyShardedDataParallel'),
    ('model_wrapper_cfg', MMSeparateDistributedDataParallel),
    ('strategy', 'DeepSpeedStrategy'),
    ('strategy', 'FSDPStrategy'),
    ('strategy', 'ColossalAIStrategy'),
])
def test_sharding_is_refused_with_what_is_supported(place, kind):
    cfg = Config(dict(model=UDA))
    cfg[place] = dict(type=kind)
    name = kind if isinstance(kind, str) else kind.__name__
    with pytest.raises(TypeError) as info:
        check_config(cfg)
    assert f'{place}.type={name.split(".")[-1]!r}' in str(info.value)
    assert 'mic_mm.UDADistributedDataParallel' in str(info.value)


@pytest.mark.parametrize('kind', [
    'mic_mm.UDADistributedDataParallel', 'mic_mm.DistributedDataParallel',
    'MMDistributedDataParallel'
])
def test_data_parallelism_is_accepted(kind):
    check_config(Config(dict(model=UDA, model_wrapper_cfg=dict(type=kind))))


def test_plain_models_are_left_to_mmengine():
    check_config(
        Config(dict(model=tiny_classifier(), strategy=dict(type='DeepSpeedStrategy'))))


def test_flexible_runner_is_refused_before_training(tmp_path):
    cfg = plain_config(tmp_path, batch_size=2)
    cfg.update(model=UDA, work_dir=str(tmp_path / 'run'), env_cfg=dict())
    cfg['default_hooks'] = dict(ema_teacher=dict(type='mic_mm.EMATeacherHook'))
    runner = FlexibleRunner.from_cfg(Config(cfg))
    with pytest.raises(TypeError, match="strategy.type='SingleDeviceStrategy'"):
        runner.train()
    assert not list(tmp_path.rglob('*.pth'))


def test_wrapped_runner_is_refused(monkeypatch):
    model = torch.nn.Linear(1, 1)
    monkeypatch.setattr('mic_mm.engine.parallelism.is_model_wrapper', lambda _: True)
    runner = Runner.__new__(Runner)
    runner.model = model
    with pytest.raises(TypeError, match="model_wrapper_cfg.type='Linear'"):
        check_runner(runner)


def train(folder, config, *arguments):
    os.chdir(folder)
    sys.argv = [TRAIN_TOOL, str(config), *map(str, arguments)]
    runpy.run_path(TRAIN_TOOL, run_name='__main__')


def test_a_plain_model_trains_on_two_processes_of_the_cpu(tmp_path):
    weights = []
    for world_size in (1, 2):
        config = tmp_path / f'on_{world_size}.py'
        Config(plain_config(tmp_path, batch_size=4 // world_size)).dump(config)
        codes = exit_codes_of_launched(train, world_size, tmp_path, config, '--launcher', 'pytorch')
        assert codes == [0] * world_size
        run = tmp_path / 'work_dirs' / config.stem
        weights.append(torch.load(run / 'iter_3.pth', weights_only=True)['state_dict'])
    for name, value in weights[0].items():
        deviation = (weights[1][name] - value).abs().max()
        assert deviation <= 1e-5 * value.abs().max(), name
