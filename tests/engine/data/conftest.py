# Copyright (c) mic_mm authors. All rights reserved.
"""Small datasets on disk, in the layout each library reads."""
import json
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mic_mm.registry import DATASETS

CLASSES = ('cat', 'dog')
SIDE = 32


@dataclass
class Library:
    """How one library reads a domain, and what it calls its label."""

    scope: str
    label_field: str
    write: object
    cfg: object

    def domain(self, root, name, num_images=4):
        """Write a domain to disk and return its dataset config."""
        folder = root / self.scope / name
        self.write(folder, num_images)
        return self.cfg(str(folder))

    def build(self, **cfg):
        """Build a paired dataset in the default scope of the library."""
        with DefaultScope.overwrite_default_scope(self.scope):
            return DATASETS.build(dict(type='mic_mm.DomainPairDataset', **cfg))


def _write_image(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.RandomState(seed).randint(0, 256, (SIDE, SIDE, 3))
    cv2.imwrite(str(path), image)


def _write_seg(folder, num_images):
    for i in range(num_images):
        _write_image(folder / 'img' / f'{i}.png', i)
        labels = folder / 'ann' / f'{i}.png'
        labels.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(labels), np.full((SIDE, SIDE), i % 2, np.uint8))


def _seg_cfg(folder):
    return dict(
        type='BaseSegDataset',
        data_root=folder,
        data_prefix=dict(img_path='img', seg_map_path='ann'),
        img_suffix='.png',
        metainfo=dict(classes=CLASSES, palette=[[0, 0, 0], [9, 9, 9]]),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='RandomFlip', prob=0.5),
            dict(type='RandomCrop', crop_size=(16, 16)),
            dict(type='PackSegInputs')
        ])


def _write_cls(folder, num_images):
    for i in range(num_images):
        _write_image(folder / CLASSES[i % 2] / f'{i}.png', i)


def _cls_cfg(folder):
    return dict(
        type='CustomDataset',
        data_root=folder,
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='RandomCrop', crop_size=16),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackInputs')
        ])


def _write_det(folder, num_images):
    names = [f'{i}.png' for i in range(num_images)]
    for i, name in enumerate(names):
        _write_image(folder / 'img' / name, i)
    coco = dict(
        images=[
            dict(id=i, file_name=name, height=SIDE, width=SIDE)
            for i, name in enumerate(names)
        ],
        categories=[dict(id=i + 1, name=c) for i, c in enumerate(CLASSES)],
        annotations=[
            dict(
                id=i + 1,
                image_id=i,
                category_id=1 + i % 2,
                bbox=[4, 4, 12, 12],
                area=144,
                iscrowd=0) for i in range(num_images)
        ])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'ann.json').write_text(json.dumps(coco))


def _det_cfg(folder):
    return dict(
        type='CocoDataset',
        data_root=folder,
        ann_file='ann.json',
        data_prefix=dict(img='img'),
        metainfo=dict(classes=CLASSES),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='RandomFlip', prob=0.5),
            dict(
                type='RandomResize', scale=(SIDE, SIDE), ratio_range=(1., 2.)),
            dict(type='PackDetInputs')
        ])


LIBRARIES = {
    'seg': Library('mmseg', 'gt_sem_seg', _write_seg, _seg_cfg),
    'cls': Library('mmpretrain', 'gt_label', _write_cls, _cls_cfg),
    'det': Library('mmdet', 'gt_instances', _write_det, _det_cfg),
}


@pytest.fixture(params=list(LIBRARIES))
def library(request):
    library = LIBRARIES[request.param]
    pytest.importorskip(library.scope)
    return library
