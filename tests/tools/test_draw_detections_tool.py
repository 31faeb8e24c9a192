# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from mic_mm.registry import MODELS
from mic_mm.testing.datasets import CLASSES, write_domain
from mic_mm.testing.models import tiny_detector

TOOL = 'misc/draw_detections.py'


@pytest.fixture(params=[True, False], ids=['with teacher', 'without'])
def config(request, tmp_path):
    """A config with four images, its checkpoint, and whether it has a teacher."""
    data = write_domain('det', tmp_path / 'data')
    data.update(
        test_mode=True,
        metainfo=dict(classes=CLASSES, palette=[(250, 0, 0), (0, 250, 0)]),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(64, 64), keep_ratio=True),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs')
        ])
    model = dict(
        type='mic_mm.UDADetector',
        detector=tiny_detector(num_classes=len(CLASSES)),
        objectives=dict(source=dict(type='mic_mm.SourceSupervision')))
    if request.param:
        model['teacher'] = dict(type='mic_mm.EMATeacher', alpha=0.5)
    path = tmp_path / f'draw_{request.param}_{tmp_path.name}.py'
    Config(
        dict(
            default_scope='mmdet',
            model=model,
            test_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=data),
            test_evaluator=dict(type='mic_mm.DomainCocoMetric'),
            test_cfg=dict(),
            default_hooks=dict(checkpoint=None))).dump(path)
    with DefaultScope.overwrite_default_scope('mmdet'):
        torch.manual_seed(0)
        built = MODELS.build(model)
        if request.param:
            built.teacher.update(built.student)
        torch.save(dict(state_dict=built.state_dict()),
                   tmp_path / 'model.pth')
    return path, request.param


def test_networks_and_ground_truth_stand_side_by_side(config, run_tool,
                                                      tmp_path):
    path, has_teacher = config
    out = tmp_path / 'pictures' / 'boxes.png'
    run_tool(TOOL, path, tmp_path / 'model.pth', '--out', out, '--images', 3,
             '--tile-size', 160)
    picture = np.array(Image.open(out))
    columns = 3 if has_teacher else 2
    assert 160 * columns < picture.shape[1] < 160 * (columns + 1)
    assert 160 * 3 < picture.shape[0] < 160 * 4
    # The frames of the annotations, in the colours of their classes.
    for color in ((250, 0, 0), (0, 250, 0)):
        assert (picture[:, :170] == np.array(color)).all(axis=-1).any()
