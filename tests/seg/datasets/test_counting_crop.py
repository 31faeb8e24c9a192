# Copyright (c) mic_mm authors. All rights reserved.
"""The faster crop of rare class sampling takes the same crops."""
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmseg.datasets.transforms import RandomCrop

from mic_mm.registry import TRANSFORMS
from mic_mm.seg.datasets.counting_crop import CountingCrop, faster_crop
from mic_mm.seg.datasets.staged_pipeline import StagedPipeline

SIZE = (20, 40)


def scene(seed, dtype=np.uint8):
    """Few large regions, so that some crops have one class only."""
    rng = np.random.RandomState(seed)
    coarse = rng.choice([0, 0, 3, 7, 255], (2, 4))
    labels = coarse.repeat(10, 0).repeat(10, 1)
    return dict(
        img=rng.randint(0, 256, (*SIZE, 3), np.uint8),
        gt_seg_map=labels.astype(dtype),
        seg_fields=['gt_seg_map'])


@pytest.mark.parametrize('ratio', [0.6, 0.75, 1.])
@pytest.mark.parametrize('ignored', [255, 0, -1])
@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_crops_and_draws_are_those_of_mmsegmentation(ratio, ignored, dtype):
    theirs = RandomCrop((12, 16), ratio, ignored)
    ours = CountingCrop(theirs)
    tried = []
    for seed in range(60):
        outcomes = []
        for crop in (theirs, ours):
            np.random.seed(seed)
            result = crop.transform(scene(seed, dtype))
            outcomes.append((result, np.random.randint(1 << 30)))
        (expected, next_number), (result, our_next_number) = outcomes
        assert our_next_number == next_number
        tried.append(next_number)
        assert result.keys() == expected.keys()
        for key in ('img', 'gt_seg_map'):
            assert np.array_equal(result[key], expected[key])
    assert len(set(tried)) > 50


def test_images_smaller_than_the_crop_stay_whole():
    crop = CountingCrop(RandomCrop((64, 64), 0.75))
    assert crop.transform(scene(0))['img'].shape == (*SIZE, 3)


class OtherCrop(RandomCrop):
    """Has draws of its own, as far as anyone knows."""


def test_other_crops_are_left_alone():
    crop = OtherCrop((8, 8), 0.75)
    assert faster_crop(crop) is crop
    assert type(faster_crop(RandomCrop((8, 8), 0.75))) is CountingCrop


def invert_in_place(results):
    np.subtract(255, results['img'], out=results['img'])
    results['seen'].append(1)
    return results


@pytest.mark.parametrize('crop', [RandomCrop, OtherCrop])
def test_a_loaded_image_can_be_cropped_again(crop):
    """Whatever comes behind the crop may work in place."""
    with DefaultScope.overwrite_default_scope('mmseg'):
        flip = TRANSFORMS.build(dict(type='RandomFlip', prob=0.5))
    pipeline = Compose([crop((12, 16), 0.75), flip, invert_in_place])
    loaded, expected = (dict(scene(1), seen=[]) for _ in range(2))
    staged = StagedPipeline(pipeline)
    for seed in range(10):
        np.random.seed(seed)
        ours = staged.crop(loaded)
        np.random.seed(seed)
        theirs = pipeline(dict(scene(1), seen=[]))
        assert np.array_equal(ours['img'], theirs['img'])
        assert np.array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])
        assert ours['seen'] == [1]
    assert loaded['seen'] == []
    for key in ('img', 'gt_seg_map'):
        assert np.array_equal(loaded[key], expected[key])
