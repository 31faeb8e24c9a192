# Copyright (c) mic_mm authors. All rights reserved.
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mic_mm.engine.data import PairIndex
from mic_mm.registry import DATASETS
from mic_mm.testing.scenes import write_image, write_labels

SIZE = (16, 32)
# type, image prefix, label prefix, image, label
LAYOUTS = {
    'gta': ('mic_mm.GTADataset', 'images', 'labels', '00001.png',
            '00001_labelTrainIds.png'),
    'synthia': ('mic_mm.SYNTHIADataset', 'RGB', 'GT/LABELS', '0000001.png',
                '0000001_labelTrainIds.png'),
    'cityscapes':
    ('CityscapesDataset', 'leftImg8bit/train', 'gtFine/train',
     'ulm/ulm_000000_000019_leftImg8bit.png',
     'ulm/ulm_000000_000019_gtFine_labelTrainIds.png'),
    'acdc': ('mic_mm.ACDCDataset', 'rgb_anon/train', 'gt/train',
             'GOPR0475/GOPR0475_frame_000041_rgb_anon.png',
             'GOPR0475/GOPR0475_frame_000041_gt_labelTrainIds.png'),
    'dark_zurich':
    ('mic_mm.DarkZurichDataset', 'rgb_anon/val', 'gt/val',
     'night/GOPR0356/GOPR0356_frame_000321_rgb_anon.png',
     'night/GOPR0356/GOPR0356_frame_000321_gt_labelTrainIds.png')
}
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs')
]


def build(**cfg):
    with DefaultScope.overwrite_default_scope('mmseg'):
        return DATASETS.build(cfg)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_images_and_labels_are_found_by_suffix(layout, tmp_path):
    name, images, labels, image, label = LAYOUTS[layout]
    image = write_image(tmp_path / images / image, SIZE)
    write_image(image.with_name('thumbnail.jpg'), SIZE)
    write_labels(tmp_path / labels / label, SIZE, [3, 255, 18])
    dataset = build(
        type=name,
        data_root=str(tmp_path),
        data_prefix=dict(img_path=images, seg_map_path=labels),
        pipeline=PIPELINE)
    (item, ) = [dataset[i] for i in range(len(dataset))]
    assert item['data_samples'].img_path == str(image)
    found = np.unique(item['data_samples'].gt_sem_seg.data)
    assert found.tolist() == [3, 18, 255]
    assert dataset.metainfo['classes'][18] == 'bicycle'
    assert len(dataset.metainfo['classes']) == 19
    assert dataset.metainfo['palette'][11] == [220, 20, 60]


def write_acdc(root, nested):
    """Images of two conditions; ``nested`` as published."""
    for condition in ('fog', 'night'):
        for split in ('train', 'val', 'train_ref'):
            folder = f'{condition}/{split}' if nested else split
            stem = f'{folder}/GOPR1/{condition}_{split}'
            write_image(root / f'rgb_anon/{stem}_rgb_anon.png', SIZE)
            write_labels(root / f'gt/{stem}_gt_labelTrainIds.png', SIZE, [1])


@pytest.mark.parametrize('nested', [True, False])
def test_a_split_is_found_below_the_conditions_or_above(nested, tmp_path):
    # A folder above the data set is none of its splits.
    root = tmp_path / 'val' / 'acdc'
    write_acdc(root, nested)
    dataset = build(
        type='mic_mm.ACDCDataset',
        data_root=str(root),
        data_prefix=dict(img_path='rgb_anon', seg_map_path='gt'),
        split='train',
        pipeline=PIPELINE)
    names = [Path(dataset[i]['data_samples'].img_path).name
             for i in range(len(dataset))]
    assert sorted(names) == ['fog_train_rgb_anon.png',
                             'night_train_rgb_anon.png']


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_target_without_a_folder_of_labels_can_be_trained_on(
        layout, tmp_path):
    name, images, labels, image, _ = LAYOUTS[layout]
    write_image(tmp_path / 'target' / images / image, SIZE)
    write_image(tmp_path / 'source' / 'images' / '1.png', SIZE)
    write_labels(tmp_path / 'source/labels/1_labelTrainIds.png', SIZE, [0, 7])
    pairs = build(
        type='mic_mm.DomainPairDataset',
        source=dict(
            type='mic_mm.GTADataset',
            data_root=str(tmp_path / 'source'),
            data_prefix=dict(img_path='images', seg_map_path='labels'),
            pipeline=PIPELINE),
        target=dict(
            type=name,
            data_root=str(tmp_path / 'target'),
            # stated, as in the original, but not there
            data_prefix=dict(img_path=images, seg_map_path=labels),
            pipeline=[PIPELINE[0], dict(type='mic_mm.PackUDASegInputs')]))
    pair = pairs[PairIndex(0, 0, 0, 0)]
    assert list(pair['target']['data_samples'].keys()) == []
    assert pair['source']['data_samples'].gt_sem_seg.data.max() == 7


def test_an_image_smaller_than_the_crop_stays_whole(tmp_path):
    """The data preprocessor pads it (tests of PseudoLabelMargins)."""
    write_image(tmp_path / 'small.png', SIZE)
    dataset = build(
        type='mic_mm.GTADataset',
        data_root=str(tmp_path),
        data_prefix=dict(img_path=''),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='RandomCrop', crop_size=(64, 64)),
            dict(type='PackSegInputs')
        ])
    assert dataset[0]['inputs'].shape == (3, *SIZE)
