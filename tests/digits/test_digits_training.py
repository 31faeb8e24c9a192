# Copyright (c) mic_mm authors. All rights reserved.
"""Adaptation on the digits benchmark never sees a label of the target."""
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
SCOPES = dict(cls='mmpretrain', seg='mmseg', det='mmdet')
MODELS = dict(cls='tiny-resnet', seg='tiny-unet', det='tiny-fcos')
TASKS = tuple(SCOPES)


def read_config(task, method, work_dir):
    """A config of the benchmark, cut down to three iterations."""
    pytest.importorskip(SCOPES[task])
    path, = (ROOT / 'configs' / task / 'digits').glob(
        f'{method}_{MODELS[task]}_*mnist5k.py')
    cfg = Config.fromfile(path)
    cfg.work_dir = str(work_dir)
    cfg.train_dataloader.batch_size = 2
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=3)
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.logger.interval = 1
    for objective in cfg.model.objectives.values():
        if objective is not None:
            objective.begin = 0  # no warm-up: everything is active at once
    if task == 'det':
        # An untrained teacher is unsure.
        cfg.model.labeller.threshold = 0.
        cfg.model.detector.test_cfg.score_thr = 0.
    for key in list(cfg):
        if key.startswith(('val_', 'test_')):
            cfg.pop(key)
    return cfg


def train(cfg):
    """Train and give the weights, teacher included."""
    runner = Runner.from_cfg(cfg)
    runner.train()
    return {key: value.clone() for key, value in runner.model.state_dict().items()}


def equal(weights, others):
    return (weights.keys() == others.keys()
            and all(torch.equal(weights[key], others[key]) for key in weights))


def remove_target_training_labels(data):
    (data / 'cls/mnist5k/train_labels.txt').unlink()
    shutil.rmtree(data / 'seg/mnist5k/labels/train')
    (data / 'det/mnist5k/annotations/train.json').unlink()


def exchange_source_labels(data, task):
    """Give the source's training images other labels."""
    if task == 'cls':
        folder = data / 'cls/optdigits/train'
        folder.rename(folder.with_name('right'))
        folder.mkdir()
        for old in folder.with_name('right').iterdir():
            old.rename(folder / str((int(old.name) + 1) % 10))
    elif task == 'seg':
        folder = data / 'seg/optdigits/labels'
        for path in (folder / 'train').iterdir():
            shutil.copy(folder / 'val/00000.png', path)
    else:
        folder = data / 'det/optdigits/annotations'
        shutil.copy(folder / 'val.json', folder / 'train.json')


@pytest.fixture
def weights_on(tmp_path_factory, monkeypatch):
    """Train a method of a task on a benchmark folder."""

    def run(data, task, method='mic'):
        monkeypatch.chdir(data.parents[1])
        return train(read_config(task, method, tmp_path_factory.mktemp('run')))

    return run


@pytest.mark.parametrize('task', TASKS)
def test_labels_of_the_source_reach_the_weights_those_of_the_target_do_not(
        root, own, weights_on, task):
    weights = weights_on(root, task)
    remove_target_training_labels(own)
    assert equal(weights, weights_on(own, task))
    exchange_source_labels(own, task)
    assert not equal(weights, weights_on(own, task))


@pytest.mark.parametrize('task', TASKS)
def test_the_oracle_needs_the_labels_of_the_target(own, weights_on, task):
    remove_target_training_labels(own)
    with pytest.raises(FileNotFoundError):
        weights_on(own, task, 'oracle')


@pytest.mark.parametrize('task', TASKS)
@pytest.mark.parametrize('labelled', [False, True])
def test_batches_carry_no_ground_truth_of_the_target(
        own, tmp_path, monkeypatch, task, labelled):
    monkeypatch.chdir(tmp_path)
    cfg = read_config(task, 'mic', tmp_path)
    if labelled:  # even a data set that does load labels
        cfg.train_dataloader.dataset.target = cfg.target_train_labelled
    loader = Runner.from_cfg(cfg).build_dataloader(cfg.train_dataloader, seed=0)
    batch = next(iter(loader))
    assert all(s.keys() for s in batch['source']['data_samples'])
    assert not any(s.keys() for s in batch['target']['data_samples'])


@pytest.mark.parametrize('task', TASKS)
def test_the_methods_differ_in_their_objectives_only(task, tmp_path):
    configs = {
        method: read_config(task, method, tmp_path).to_dict()
        for method in ('source-only', 'self-training', 'mic', 'oracle')
    }
    objectives = {
        method: {name for name, value in cfg['model'].pop('objectives').items()
                 if value is not None}
        for method, cfg in configs.items()
    }
    assert objectives == {
        'source-only': {'source'},
        'oracle': {'source'},
        'self-training': {'source', 'self_training'},
        'mic': {'source', 'self_training', 'mic'},
    }
    for cfg in configs.values():
        cfg['model'].pop('teacher')
    assert configs['source-only'] == configs['self-training'] == configs['mic']
    pair = configs['oracle']['train_dataloader']['dataset']
    assert pair.pop('source') == configs['mic']['target_train_labelled']
    configs['mic']['train_dataloader']['dataset'].pop('source')
    assert configs['oracle'] == configs['mic']
