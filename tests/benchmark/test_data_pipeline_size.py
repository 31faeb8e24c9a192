# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
from mmengine.registry import TRANSFORMS, DefaultScope

from mic_mm.benchmark.data_pipeline_size import first_resizing, size_after


# Ranges of one value, so that the transform has no choice.
@pytest.mark.parametrize('scope, step', [
    ('mmdet', dict(type='Resize', scale=(1600, 800), keep_ratio=True)),
    ('mmdet', dict(type='Resize', scale=(160, 80))),
    ('mmdet', dict(type='Resize', scale_factor=0.33)),
    ('mmdet', dict(type='Resize', scale_factor=(0.5, 2.))),
    ('mmdet', dict(type='RandomChoiceResize', scales=[(64, 48)], keep_ratio=True)),
    ('mmseg', dict(type='RandomResize', scale=(64, 48), ratio_range=(1.5, 1.5), keep_ratio=True)),
    ('mmseg', dict(type='RandomResize', scale=[(64, 48), (64, 48)])),
    ('mmpretrain', dict(type='Resize', scale=40)),
    ('mmpretrain', dict(type='ResizeEdge', scale=40)),
    ('mmpretrain', dict(type='ResizeEdge', scale=40, edge='long')),
    ('mmpretrain', dict(type='ResizeEdge', scale=40, edge='width')),
    ('mmpretrain', dict(type='RandomResizedCrop', scale=40)),
    ('mmpretrain', dict(type='mmpretrain.EfficientNetRandomCrop', scale=40)),
])
@pytest.mark.parametrize('height, width', [(75, 101), (101, 75)])
def test_the_size_is_that_of_the_transform(scope, step, height, width):
    with DefaultScope.overwrite_default_scope(scope):
        transform = TRANSFORMS.build(step)
    image = np.zeros((height, width, 3), np.uint8)
    after = transform(dict(img=image, img_shape=image.shape[:2]))['img']
    assert size_after(step, (width, height)) == after.shape[1::-1]


@pytest.mark.parametrize('step, size', [
    (dict(type='RandomResize', scale=(100, 50), ratio_range=(0.5, 2.)), (125, 62)),
    (dict(type='RandomResize', scale=[(100, 20), (200, 40)]), (150, 30)),
    (dict(type='RandomChoiceResize', scales=[(9, 9), (5, 5), (7, 7)]), (7, 7)),
])
def test_of_a_random_size_the_middle_counts(step, size):
    assert size_after(step, (50, 50)) == size


def test_the_first_resizing_counts():
    small = dict(type='Resize', scale=(8, 8))
    load, flip = dict(type='LoadImageFromFile'), dict(type='RandomFlip')
    assert first_resizing([load, flip]) is None
    assert first_resizing([load, small, dict(type='RandomResizedCrop', scale=4)]) is small
    branches = dict(type='RandomChoice', transforms=[[flip, small], [flip]])
    assert first_resizing([load, branches]) is small
    # DETR: nothing in the first branch resizes.
    assert first_resizing([dict(branches, transforms=[[flip]]), small]) is small
