# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.structures import InstanceData

from mic_mm.testing.datasets import CLASSES, write_domain
from mic_mm.testing.models import tiny_detector


def that_finds(detector, right):
    """A detector that finds all cats and dogs, or calls each the other."""

    def predict(inputs, samples, rescale=True):
        for sample in samples:
            label = sample.img_id % 2 if right else 1 - sample.img_id % 2
            sample.pred_instances = InstanceData(
                bboxes=torch.tensor([[4., 4, 16, 16]]),
                scores=torch.tensor([.9]),
                labels=torch.tensor([label]))
        return samples

    detector.predict = predict


def make_runner(folder, loop):
    data = write_domain('det', folder / 'data')
    data.update(
        test_mode=True,
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(64, 64), keep_ratio=True),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs')
        ])
    model = dict(
        type='mic_mm.UDADetector',
        detector=tiny_detector(num_classes=len(CLASSES)),
        teacher=dict(type='mic_mm.EMATeacher', alpha=0.5),
        objectives=dict(source=dict(type='mic_mm.SourceSupervision')))
    runner = Runner.from_cfg(
        Config(
            dict(
                default_scope='mmdet',
                model=model,
                val_dataloader=dict(
                    batch_size=2,
                    num_workers=0,
                    sampler=dict(type='DefaultSampler', shuffle=False),
                    dataset=data),
                val_evaluator=[
                    dict(
                        type='mic_mm.DomainCocoMetric',
                        ann_file=str(folder / 'data' / 'ann.json')),
                    dict(type='mic_mm.DomainVOCMetric'),
                    dict(type='mic_mm.PseudoBoxMetric', thresholds=[0.8]),
                ],
                val_cfg=dict(type=loop),
                default_hooks=dict(checkpoint=None),
                work_dir=str(folder / 'work'),
                experiment_name=folder.name)))
    runner.model.teacher.update(runner.model.student)
    return runner


def test_both_networks_are_scored_by_all_metrics(tmp_path):
    runner = make_runner(tmp_path, 'mic_mm.StudentTeacherValLoop')
    runner.load_or_resume()
    that_finds(runner.model.student, right=False)
    that_finds(runner.model.teacher.model, right=True)
    metrics = runner.val()
    for branch, score in (('student', 0.), ('teacher', 1.)):
        for name in CLASSES:
            assert metrics[f'{branch}/coco/AP50.{name}'] == score
            assert metrics[f'{branch}/pascal_voc/AP50.{name}'] == score
        assert metrics[f'{branch}/coco/bbox_mAP_50'] == score
        assert metrics[f'{branch}/pseudo_boxes/recall@0.8'] == 100 * score
    scalars = runner.message_hub.log_scalars
    assert 'val/teacher/coco/AP50.cat' in scalars


def test_one_network_is_scored_alone(tmp_path):
    runner = make_runner(tmp_path, 'ValLoop')
    that_finds(runner.model.student, right=True)
    assert runner.val()['coco/AP50.dog'] == pytest.approx(1)
