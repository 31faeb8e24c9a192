# Copyright (c) mic_mm authors. All rights reserved.
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image
from torch.utils.data import Dataset

from mic_mm.engine.hooks import UDAVisualizationHook
from mic_mm.testing.batches import cls_batch, without_labels
from mic_mm.testing.models import tiny_classifier


class Pairs(Dataset):
    """Four pairs of random images."""

    metainfo = dict(classes=('zero', 'one', 'two', 'three'))

    def __len__(self):
        return 4

    def __getitem__(self, index):
        source, target = cls_batch(0), without_labels(cls_batch(1))
        return {
            name: dict(
                inputs=batch['inputs'][index],
                data_samples=batch['data_samples'][index])
            for name, batch in dict(source=source, target=target).items()
        }


def train(work_dir: Path, iterations: int = 5, **hook) -> Runner:
    model = dict(
        type='mic_mm.UDAClassifier',
        classifier=tiny_classifier(),
        teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
        objectives=dict(
            source=dict(type='mic_mm.SourceSupervision'),
            mic=dict(
                type='mic_mm.MaskedConsistency',
                begin=2,
                mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        default_scope='mmpretrain',
        experiment_name=work_dir.name,
        randomness=dict(seed=0),
        train_dataloader=dict(
            dataset=Pairs(),
            batch_size=2,
            num_workers=0,
            sampler=dict(type='InfiniteSampler', shuffle=False),
            collate_fn=dict(type='pseudo_collate')),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=iterations),
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01)),
        custom_hooks=[
            dict(type='mic_mm.EMATeacherHook'),
            dict(type='mic_mm.UDAVisualizationHook', **hook)
        ],
        visualizer=dict(
            type='Visualizer',
            name=f'vis_{work_dir.name}',
            vis_backends=[
                dict(type='LocalVisBackend'),
                dict(type='TensorboardVisBackend')
            ]),
        cfg=Config(dict(default_scope='mmpretrain')))
    runner.train()
    return runner


def drawn_iterations(work_dir: Path) -> list:
    return sorted(
        path.stem for path in work_dir.glob('*/vis_data/uda_panels/*.png'))


def test_draws_every_interval_and_when_an_objective_begins(tmp_path):
    train(tmp_path, interval=5)
    assert drawn_iterations(tmp_path) == ['000001', '000003', '000005']


def test_picture_shows_the_masked_images_once_they_exist(tmp_path):
    train(tmp_path, interval=100)
    first, third = (
        np.asarray(Image.open(next(tmp_path.glob(f'**/{name}.png'))))
        for name in ('000001', '000003'))
    assert third.shape[1] > first.shape[1]  # one column more
    assert third.std() > 10


def test_tensorboard_gets_the_picture_and_the_local_backend_no_copy(tmp_path):
    train(tmp_path, iterations=1)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(
        str(next(tmp_path.glob('*/vis_data'))), size_guidance=dict(images=0))
    events.Reload()
    assert events.Tags()['images'] == ['uda_panels']
    assert not list(tmp_path.glob('**/vis_image'))


def test_recorded_images_are_let_go(tmp_path):
    runner = train(tmp_path, iterations=1)
    assert runner.model.panels == {}
    assert runner.model.record_panels is False


def test_drawing_does_not_change_training(tmp_path):
    often = train(tmp_path / 'often', interval=1).model.state_dict()
    never = train(tmp_path / 'never', interval=100).model.state_dict()
    assert all(torch.equal(often[name], never[name]) for name in never)


def test_only_the_main_process_records(monkeypatch):
    monkeypatch.setattr('mmengine.dist.utils.get_rank', lambda group=None: 1)
    model = SimpleNamespace(record_panels=False)
    UDAVisualizationHook(interval=1).before_train_iter(
        SimpleNamespace(model=model, iter=0), 0)
    assert model.record_panels is False


@pytest.mark.parametrize('name', ['interval', 'max_images', 'tile_size'])
def test_numbers_have_to_be_positive(name):
    with pytest.raises(ValueError, match=f'{name}=0'):
        UDAVisualizationHook(**{name: 0})
