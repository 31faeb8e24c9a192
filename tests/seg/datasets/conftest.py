# Copyright (c) mic_mm authors. All rights reserved.
"""A small labelled dataset with a rare class, and its statistics."""
import pytest
from mmengine.registry import DefaultScope

from mic_mm.registry import DATASETS
from mic_mm.seg.datasets import ClassStatistics
from mic_mm.testing.scenes import write_image, write_labels

SIZE = (32, 64)
CROP = (32, 16)
# Classes of the stripes of each label map; class 2 is rare.
STRIPES = dict(a=[0, 0, 0, 0, 0, 0, 0, 2], b=[0, 1, 0, 1], c=[0, 1],
               d=[1, 1, 1, 0])


@pytest.fixture
def counts():
    """Pixels of each class, from the definition of the stripes."""
    return {
        f'{name}.png': {
            c: SIZE[0] * SIZE[1] * stripes.count(c) // len(stripes)
            for c in set(stripes)
        }
        for name, stripes in STRIPES.items()
    }


@pytest.fixture
def source(tmp_path, counts):
    """Config of the dataset; the statistics lie at its root."""
    for seed, (name, stripes) in enumerate(STRIPES.items()):
        write_image(tmp_path / 'img' / f'{name}.png', SIZE, seed)
        write_labels(tmp_path / 'ann' / f'{name}.png', SIZE, stripes)
    ClassStatistics(counts).write(tmp_path)
    return dict(
        type='BaseSegDataset',
        data_root=str(tmp_path),
        data_prefix=dict(img_path='img', seg_map_path='ann'),
        img_suffix='.png',
        metainfo=dict(classes=('a', 'b', 'c'), palette=[[0] * 3] * 3),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='RandomCrop', crop_size=CROP),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackSegInputs')
        ])


@pytest.fixture
def build():
    """Builds rare class sampling of a dataset."""

    def build(dataset, **options):
        options.setdefault('min_pixels', 100)
        if 'statistics' not in options:
            options['statistics'] = dataset['data_root']
        with DefaultScope.overwrite_default_scope('mmseg'):
            return DATASETS.build(
                dict(
                    type='mic_mm.RareClassSampling',
                    dataset=dataset,
                    **options))

    return build
