# Copyright (c) mic_mm authors. All rights reserved.
"""A training config of each task on small data sets."""
from __future__ import annotations

from pathlib import Path

from .datasets import CLASSES, write_domain
from .models import tiny_classifier, tiny_detector, tiny_segmentor

_TASKS = {
    'seg': ('mmseg', 'UDASegmentor', 'segmentor', tiny_segmentor,
            'ClassMixSelfTraining'),
    'cls': ('mmpretrain', 'UDAClassifier', 'classifier', tiny_classifier,
            'SelfTraining'),
    'det': ('mmdet', 'UDADetector', 'detector', tiny_detector, 'SelfTraining'),
}


def uda_config(task: str,
               folder: Path,
               iterations: int = 3,
               source_images: int = 4) -> dict:
    """A config of MIC on a few source and five target images.

    MIC begins in iteration 1.  Pictures and checkpoints are made in every
    iteration.

    Args:
        task (str): ``'seg'``, ``'cls'`` or ``'det'``.
        folder (Path): Where the images go.
        iterations (int): Iterations to train. Defaults to 3.
        source_images (int): Number of source images. Defaults to 4.
    """
    scope, wrapper, key, student, host = _TASKS[task]
    mask = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)
    color = dict(type='mic_mm.ColorAugmentation')
    network = student(num_classes=len(CLASSES))
    if task == 'seg':  # the crops of its data set
        network['data_preprocessor']['size'] = (16, 16)
    return dict(
        default_scope=scope,
        randomness=dict(seed=7),
        model={
            'type': f'mic_mm.{wrapper}',
            key: network,
            'teacher': dict(type='mic_mm.EMATeacher', alpha=0.5),
            'objectives': dict(
                source=dict(type='mic_mm.SourceSupervision'),
                self_training=dict(
                    type=f'mic_mm.{host}', pseudo_threshold=0.3),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    begin=1,
                    color_aug=color,
                    mask=mask))
        },
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='mic_mm.DomainPairSampler'),
            dataset=dict(
                type='mic_mm.DomainPairDataset',
                source=write_domain(task, folder / 'source', source_images),
                target=write_domain(task, folder / 'target', 5)),
            collate_fn=dict(type='pseudo_collate')),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=iterations),
        optim_wrapper=dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01)),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(
                type='mic_mm.AtomicCheckpointHook',
                by_epoch=False,
                interval=1),
            ema_teacher=dict(type='mic_mm.EMATeacherHook'),
            random_streams=dict(type='mic_mm.RandomStreamsHook'),
            uda_visualization=dict(
                type='mic_mm.UDAVisualizationHook', interval=1)),
        visualizer=dict(
            type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]),
        log_processor=dict(by_epoch=False))
