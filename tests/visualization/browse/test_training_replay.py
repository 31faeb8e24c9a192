# Copyright (c) mic_mm authors. All rights reserved.
"""What is shown is what a real run trains on."""
import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mic_mm.testing.models import tiny_classifier
from mic_mm.testing.uda_configs import uda_config
from mic_mm.visualization.browse import TrainingReplay


class KeepPanels(Hook):
    """Keeps what the objectives recorded, before it is drawn."""

    priority = 'HIGH'

    def __init__(self):
        self.kept = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        self.kept[runner.iter] = copy.deepcopy(runner.model.panels)


def train(cfg, work_dir):
    runner = Runner.from_cfg(
        Config(
            dict(
                cfg,
                work_dir=str(work_dir),
                experiment_name=f'replay_{work_dir}')))
    hook = KeepPanels()
    runner.register_hook(hook)
    runner.train()
    return hook.kept


def assert_same(ours, theirs, names):
    assert set(names) <= set(ours) and set(ours) == set(theirs)
    for name in names:
        assert torch.equal(ours[name].inputs, theirs[name].inputs), name
        for one, other in zip(ours[name].data_samples,
                              theirs[name].data_samples):
            assert one.img_path == other.img_path
            assert_same_labels(one, other)


def assert_same_labels(one, other):
    if 'gt_sem_seg' in one:
        assert torch.equal(one.gt_sem_seg.data, other.gt_sem_seg.data)
    if 'gt_label' in one:
        assert torch.equal(one.gt_label, other.gt_label)
    if 'gt_instances' in one:
        assert torch.equal(one.gt_instances.labels, other.gt_instances.labels)
    assert ('loss_weight' in one) == ('loss_weight' in other)


@pytest.mark.parametrize('task', ['seg', 'cls', 'det'])
def test_every_iteration_shows_the_images_of_training(task, tmp_path):
    cfg = uda_config(task, tmp_path / 'data')
    trained = train(cfg, tmp_path / 'run')
    untrained = TrainingReplay(Config(copy.deepcopy(cfg)))
    # The untrained teacher is the one that training begins with.
    assert_same(
        untrained.record(0).panels, trained[0],
        ['source', 'target', 'pseudo_label'])
    # Before a step the weights are not those of training, the images are.
    assert_same(
        {
            name: images
            for name, images in untrained.record(2).panels.items()
            if name in ('source', 'target')
        }, {
            name: images
            for name, images in trained[2].items()
            if name in ('source', 'target')
        }, ['source', 'target'])
    resumed = TrainingReplay(
        Config(copy.deepcopy(cfg)), str(tmp_path / 'run' / 'iter_2.pth'))
    assert resumed.checkpoint_iteration == 2
    assert resumed.first_full_iteration == 1
    everything = ['source', 'target', 'pseudo_label', 'masked']
    everything += ['mixed'] if task == 'seg' else []
    assert_same(resumed.record(2).panels, trained[2], everything)


def test_an_iteration_does_not_depend_on_those_before(tmp_path):
    cfg = Config(uda_config('seg', tmp_path))
    replay = TrainingReplay(cfg)
    replay.record(0)
    after_another = replay.record(4).panels
    at_once = TrainingReplay(cfg).record(4).panels
    assert_same(after_another, at_once, ['source', 'target', 'masked'])


def test_other_seeds_show_other_images(tmp_path):
    cfg = Config(uda_config('seg', tmp_path))
    ours, theirs = (
        TrainingReplay(cfg, seed=seed).record(1).panels['target'].inputs
        for seed in (1, 2))
    assert not torch.equal(ours, theirs)


def test_epochs_are_walked_through(tmp_path):
    cfg = uda_config('cls', tmp_path)
    endless = TrainingReplay(Config(cfg))
    cfg['train_dataloader']['sampler']['pairs_per_epoch'] = 4
    epochs = TrainingReplay(Config(cfg))
    for iteration in (1, 3):  # of the first and of the second epoch
        assert torch.equal(
            endless.batch(iteration)['source']['inputs'],
            epochs.batch(iteration)['source']['inputs'])


def test_target_labels_on_disk_reach_no_panel(tmp_path):
    # The labels of the target data set are loaded by its pipeline.
    cfg = uda_config('seg', tmp_path)
    cfg['model']['objectives'].update(self_training=None, mic=None)
    panels = TrainingReplay(Config(cfg)).record(0).panels
    assert all('gt_sem_seg' in s for s in panels['source'].data_samples)
    assert not any('gt_sem_seg' in s for s in panels['target'].data_samples)


def test_where_pseudo_labels_come_from_is_said(tmp_path):
    cfg = Config(uda_config('cls', tmp_path))
    replay = TrainingReplay(cfg)
    assert 'untrained' in replay.teacher_origin
    path = str(tmp_path / 'model.pth')
    torch.save(dict(state_dict=replay.model.state_dict()), path)
    assert TrainingReplay(cfg, path).teacher_origin == f'the teacher of {path}'
    torch.save(dict(state_dict=replay.model.student.state_dict()), path)
    plain = TrainingReplay(cfg, path)
    assert 'has no teacher' in plain.teacher_origin
    assert plain.model.teacher.initialized


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    cfg = uda_config('cls', tmp_path)
    path = str(tmp_path / 'model.pth')
    torch.save(
        dict(state_dict=TrainingReplay(Config(cfg)).model.state_dict()), path)
    cfg['model']['classifier'] = tiny_classifier(num_classes=5)
    with pytest.raises(ValueError, match='does not fit'):
        TrainingReplay(Config(cfg), path)


def test_a_stock_model_is_refused(tmp_path):
    cfg = uda_config('cls', tmp_path)
    cfg['model'] = cfg['model']['classifier']
    with pytest.raises(TypeError, match='without mic_mm'):
        TrainingReplay(Config(cfg))


def test_a_config_without_training_is_refused():
    with pytest.raises(ValueError, match='train_dataloader'):
        TrainingReplay(Config(dict(default_scope='mmseg')))
