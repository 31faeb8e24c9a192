# Copyright (c) mic_mm authors. All rights reserved.
"""All parts of the data side in a run: RCS, margins, metric, both branches."""
import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.models import tiny_segmentor
from mic_mm.testing.scenes import write_image, write_labels

SIZE, SIDE = (40, 80), 32


def write_data(root):
    for i in range(4):
        write_image(root / f'gta/images/{i}.png', SIZE, i)
        write_labels(root / f'gta/labels/{i}_labelTrainIds.png', SIZE,
                     [0, 18, 255, i])
        for split in ('train', 'val'):
            write_image(root / f'acdc/rgb_anon/fog/{split}/{i}_rgb_anon.png',
                        SIZE, 10 + i)
        write_labels(root / f'acdc/gt/fog/val/{i}_gt_labelTrainIds.png', SIZE,
                     [18, 0])
    ClassStatistics({
        f'{i}_labelTrainIds.png': {0: 800, 18: 800, i: 800}
        for i in range(4)
    }).write(root / 'gta')


LOAD = dict(type='LoadImageFromFile')
LABELS = [dict(type='LoadAnnotations'), dict(type='mic_mm.CheckLabels', num_classes=19)]
CROP = [
    dict(type='RandomCrop', crop_size=(SIDE, SIDE)),
    dict(type='RandomFlip', prob=0.5),
]


def gta(root):
    return dict(
        type='mic_mm.RareClassSampling',
        statistics=str(root / 'gta'),
        min_pixels=300,
        min_crop_ratio=0.5,
        dataset=dict(
            type='mic_mm.GTADataset',
            data_root=str(root / 'gta'),
            data_prefix=dict(img_path='images', seg_map_path='labels'),
            pipeline=[LOAD, *LABELS, *CROP, dict(type='PackSegInputs')]))


def acdc(root, split, pipeline):
    return dict(
        type='mic_mm.ACDCDataset',
        data_root=str(root / 'acdc'),
        data_prefix=dict(img_path='rgb_anon', seg_map_path='gt'),
        split=split,
        pipeline=pipeline)


def mic():
    mask = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)
    return dict(
        type='mic_mm.UDASegmentor',
        segmentor=tiny_segmentor(num_classes=19),
        teacher=dict(type='mic_mm.EMATeacher'),
        labeller=dict(type='mic_mm.PixelLabeller', threshold=0.),
        objectives=dict(
            source=dict(type='mic_mm.SourceSupervision'),
            self_training=dict(type='mic_mm.ClassMixSelfTraining'),
            mic=dict(type='mic_mm.MaskedConsistency', mask=mask)))


def data(root):
    """Both loaders: of pairs, and of the target with its labels."""
    margins = dict(type='mic_mm.PseudoLabelMargins', top=2, bottom=30, left=1, right=1)
    target = acdc(root, 'train', [LOAD, margins, *CROP, dict(type='mic_mm.PackUDASegInputs')])
    return dict(
        train_dataloader=dict(
            batch_size=2,
            num_workers=2,
            sampler=dict(type='mic_mm.DomainPairSampler'),
            dataset=dict(type='mic_mm.DomainPairDataset', source=gta(root), target=target)),
        val_dataloader=dict(
            batch_size=1,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=acdc(root, 'val', [LOAD, *LABELS, dict(type='PackSegInputs')])))


def make_config(root):
    return dict(
        default_scope='mmseg',
        model=mic(),
        **data(root),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=3, val_interval=3),
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01)),
        val_evaluator=dict(
            type='mic_mm.DomainIoUMetric', class_subsets=dict(two=['road', 'bicycle'])),
        val_cfg=dict(type='mic_mm.StudentTeacherValLoop'),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
            checkpoint=dict(
                type='CheckpointHook',
                by_epoch=False,
                interval=3,
                save_best='teacher/two',
                rule='greater'),
            ema_teacher=dict(type='mic_mm.EMATeacherHook'),
            random_streams=dict(type='mic_mm.RandomStreamsHook')),
        log_processor=dict(by_epoch=False),
        work_dir=str(root / 'work'),
        experiment_name=root.name,
        randomness=dict(seed=0))


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A finished run and the lines of its log."""
    root = tmp_path_factory.mktemp('street_scenes')
    write_data(root)
    runner = Runner.from_cfg(Config(make_config(root)))
    runner.train()
    path = next(root.glob('work/*/vis_data/scalars.json'))
    lines = path.read_text().splitlines()
    return runner, [json.loads(line) for line in lines]


def test_a_run_trains_and_scores_both_branches(run):
    runner, log = run
    losses = [line['loss'] for line in log if 'loss' in line]
    assert len(losses) == 3 and all(0 < loss < 100 for loss in losses)
    assert all(line['mic.decode.loss_ce'] > 0 for line in log
               if 'loss' in line)
    scores = next(line for line in log if 'student/mIoU' in line)
    names = {'mIoU', 'two', 'aAcc', 'IoU.road', 'IoU.bicycle'}
    assert {f'{b}/{n}' for b in ('student', 'teacher') for n in names} \
        <= set(scores)
    assert list(Path(runner.work_dir).glob('best_teacher_two*.pth'))


def test_margins_reach_the_weights_of_the_pseudo_labels(run):
    runner, _ = run
    batch = next(iter(runner.train_dataloader))
    data = runner.model.data_preprocessor(batch, training=True)
    model = runner.model
    labels = model.prepare(data).pseudo_labels(model.teacher, 0.)
    for target, pseudo in zip(batch['target']['data_samples'],
                              labels.data_samples):
        valid = target.pseudo_label_valid.data.float()
        # Every pixel is confident at a threshold of 0.
        assert pseudo.loss_weight.data.equal(valid)
        # Crops of 32 rows of 40 images rows, of which 8 can be trusted.
        assert 0 < valid.sum() <= 8 * SIDE
