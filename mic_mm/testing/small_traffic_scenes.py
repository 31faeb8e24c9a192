# Copyright (c) mic_mm authors. All rights reserved.
"""The data sets of detection in small, and their configs to match."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mic_mm.det.dataset_tools.box_files import KITTIReader, VOCReader
from mic_mm.det.dataset_tools.coco_file import write_coco
from mic_mm.det.dataset_tools.instance_map import LABEL_IDS, InstanceMapReader
from mic_mm.det.dataset_tools.records import AnnotatedImage

from .scenes import write_image

# The sides of the published images and all lengths of configs are divided by
# this.
FACTOR = 8
SIZE = (1024 // FACTOR, 2048 // FACTOR)
FOG = '_leftImg8bit_foggy_beta_0.02.png'
_CITY = {'train': 'ulm', 'val': 'bonn'}


def write_traffic_scenes(root: Path) -> None:
    """Write ``root/{cityscapes,foggy_cityscapes,sim10k,kitti}``.

    Each has a few images of noise and COCO files, in the layout that the
    configs expect, made by the readers of the converters.
    """
    for split in ('train', 'val'):
        _write_cityscapes(root, split)
    _write_sim10k(root / 'sim10k')
    _write_kitti(root / 'kitti')


def _write_cityscapes(root: Path, split: str) -> None:
    items: dict[str, list] = {'': [], 'foggy_': []}
    for number in range(2):
        name = f'{split}/{_CITY[split]}/{number}'
        instances = root / f'cityscapes/gtFine/{name}_gtFine_instanceIds.png'
        _write_instances(instances, number)
        for prefix, folder, suffix in (
            ('', 'cityscapes/leftImg8bit', '_leftImg8bit.png'),
            ('foggy_', 'foggy_cityscapes/leftImg8bit_foggy', FOG)):
            image = write_image(root / folder / f'{name}{suffix}', SIZE,
                                number)
            items[prefix].append(
                AnnotatedImage(image, instances, f'{name}{suffix}'))
    reader = InstanceMapReader()
    for prefix, found in items.items():
        write_coco(
            root / f'{prefix}cityscapes/annotations/'
            f'{prefix}instancesonly_filtered_gtFine_{split}_poly.json',
            [reader(item) for item in found], reader.categories(), {})


def _write_instances(path: Path, shift: int) -> None:
    """An instance of each class, 24 pixels wide."""
    instances = np.zeros(SIZE, np.uint16)
    for column, label in enumerate(LABEL_IDS.values()):
        left = 4 + 30 * column + 2 * shift
        instances[40:80, left:left + 24] = 1000 * label
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(instances).save(path)


def _write_sim10k(root: Path) -> None:
    items = []
    for number in range(2):
        annotation = root / f'VOC2012/Annotations/{number}.xml'
        annotation.parent.mkdir(parents=True, exist_ok=True)
        annotation.write_text(
            '<annotation><object><name>car</name><bndbox><xmin>31</xmin>'
            '<ymin>21</ymin><xmax>80</xmax><ymax>60</ymax></bndbox></object>'
            '</annotation>')
        image = write_image(root / f'VOC2012/JPEGImages/{number}.jpg', SIZE,
                            number)
        items.append(AnnotatedImage(image, annotation, image.name))
    reader = VOCReader(('car', ))
    write_coco(root / 'annotations/sim10k_train.json', list(
        map(reader, items)), reader.categories(), {})


def _write_kitti(root: Path) -> None:
    items = []
    for number in range(2):
        annotation = root / f'training/label_2/{number}.txt'
        annotation.parent.mkdir(parents=True, exist_ok=True)
        annotation.write_text('Car 0 0 0 30 20 80 60 1 1 1 0 1 9 0\n')
        image = write_image(root / f'training/image_2/{number}.png', SIZE,
                            number)
        items.append(AnnotatedImage(image, annotation, image.name))
    reader = KITTIReader()
    write_coco(root / 'annotations/kitti_train.json', list(map(reader, items)),
               reader.categories(), {})


# What makes a part of the type small enough for a test.
_SMALL: dict[str, dict[str, Any]] = {
    'ResNet': dict(
        depth=50, stem_channels=8, base_channels=4, init_cfg=None),
    'FPN': dict(in_channels=[16, 32, 64, 128], out_channels=8),
    'RPNHead': dict(in_channels=8, feat_channels=8),
    'mic_mm.SADARPNHead': dict(in_channels=8, feat_channels=8),
    'SingleRoIExtractor': dict(out_channels=8),
    'mic_mm.InclusiveRoIExtractor': dict(out_channels=8),
    'Shared2FCBBoxHead': dict(in_channels=8, fc_out_channels=16),
    'mic_mm.InclusiveBBoxHead': dict(in_channels=8, fc_out_channels=16),
    'RandomSampler': dict(num=32),
    'mic_mm.KeySampler': dict(num=32),
}
_FEW = dict(nms_pre=50, nms_post=50, max_per_img=50)


def shrink_config(cfg: Mapping, root: Path) -> dict:
    """A config of detection for the data of ``root``, in small.

    Images, blocks of masks, widths of the networks and numbers of proposals
    become small; networks start from random weights; adaptation begins at
    once.  Everything else stays.
    """
    return _shrink(cfg, root)


def _shrink(value: Any, root: Path) -> Any:
    if isinstance(value, Mapping):
        return _shrink_dict({k: _shrink(v, root) for k, v in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(_shrink(item, root) for item in value)
    if isinstance(value, str) and value.startswith('data/'):
        return str(root / value.removeprefix('data/'))
    return value


def _shrink_dict(cfg: dict) -> dict:
    type_ = cfg.get('type')
    if type_ == 'Resize':
        cfg['scale'] = tuple(side // FACTOR for side in cfg['scale'])
    if type_ == 'mic_mm.BlockMask':
        cfg['block_size'] //= FACTOR
    if type_ in ('mic_mm.MaskedConsistency', 'mic_mm.SelfTraining'):
        cfg['begin'] = 0
    if type_ == 'mic_mm.BoxLabeller':  # random networks are sure of nothing
        cfg.update(threshold=0.05, ignore_threshold=None)
    for name in ('image_head', 'instance_head'):
        if name in cfg:
            cfg[name] = dict(cfg[name], hidden_dim=16)
    if 'nms_pre' in cfg:
        cfg.update({k: v for k, v in _FEW.items() if k in cfg})
    cfg.update(_SMALL.get(type_, {}))
    return cfg
