# Copyright (c) mic_mm authors. All rights reserved.
"""Small datasets on disk, in the layout each library reads."""
from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

CLASSES = ('cat', 'dog')
SIDE = 32


def write_domain(task: str, folder: Path, num_images: int = 4) -> dict:
    """Write the images and labels of a domain.

    Args:
        task (str): ``'seg'``, ``'cls'`` or ``'det'``.
        folder (Path): Where to; made if needed.
        num_images (int): Number of images. Defaults to 4.

    Returns:
        dict: Config of the library's dataset that reads them.
    """
    write, config = _TASKS[task]
    write(folder, num_images)
    return config(str(folder))


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


_TASKS = {
    'seg': (_write_seg, _seg_cfg),
    'cls': (_write_cls, _cls_cfg),
    'det': (_write_det, _det_cfg),
}
