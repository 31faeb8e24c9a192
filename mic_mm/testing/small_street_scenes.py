# Copyright (c) mic_mm authors. All rights reserved.
"""The street scene data sets in small, and their configs to match."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mic_mm.seg.datasets import ClassStatistics

from .scenes import write_image, write_labels

# The sides of the published images and of all crops are divided by this.
FACTOR = 8
CLASSES = (0, 1, 4, 0, 11, 18)
# data set: height and width as published, images, labels
_FILES = {
    'gta': ((1052, 1914), ['images/1.png', 'images/2.png'],
            ['labels/1_labelTrainIds.png', 'labels/2_labelTrainIds.png']),
    'synthia': ((760, 1280), ['RGB/1.png', 'RGB/2.png'], [
        'GT/LABELS/1_labelTrainIds.png', 'GT/LABELS/2_labelTrainIds.png'
    ]),
    'cityscapes': ((1024, 2048), [
        'leftImg8bit/train/ulm/a_leftImg8bit.png',
        'leftImg8bit/train/ulm/b_leftImg8bit.png',
        'leftImg8bit/val/bonn/c_leftImg8bit.png'
    ], [
        'gtFine/train/ulm/a_gtFine_labelTrainIds.png',
        'gtFine/train/ulm/b_gtFine_labelTrainIds.png',
        'gtFine/val/bonn/c_gtFine_labelTrainIds.png'
    ]),
    'acdc': ((1080, 1920), [
        'rgb_anon/fog/train/G/a_rgb_anon.png',
        'rgb_anon/fog/val/G/b_rgb_anon.png'
    ], [
        'gt/fog/train/G/a_gt_labelTrainIds.png',
        'gt/fog/val/G/b_gt_labelTrainIds.png'
    ]),
    'dark_zurich': ((1080, 1920), [
        'rgb_anon/train/night/G/a_rgb_anon.png',
        'rgb_anon/val/night/G/b_rgb_anon.png'
    ], ['gt/val/night/G/b_gt_labelTrainIds.png']),
}


def write_street_scenes(root: Path) -> None:
    """Write ``root/{gta,synthia,cityscapes,acdc,dark_zurich}``.

    Each has a few images of noise and labels in stripes, in the layout that
    the configs expect, with class statistics of the training labels.
    """
    for name, (published, images, labels) in _FILES.items():
        size = published[0] // FACTOR, published[1] // FACTOR
        for seed, image in enumerate(images):
            write_image(root / name / image, size, seed)
        for label in labels:
            write_labels(root / name / label, size, CLASSES)
        stripe = size[0] * size[1] // len(CLASSES)
        pixels = {c: stripe * CLASSES.count(c) for c in CLASSES}
        ClassStatistics({
            label: pixels
            for label in labels if '/val/' not in label
        }).write(root / name)


# key of a dict of the type (None: any) -> how the sides of images shrink
_SIDES = {
    'Resize': ('scale', ),
    'RandomCrop': ('crop_size', ),
    'mic_mm.PseudoLabelMargins': ('top', 'bottom', 'left', 'right'),
    'mic_mm.PixelLabeller': ('ignore_top', 'ignore_bottom'),
    'mic_mm.BlockMask': ('block_size', ),
    'SegDataPreProcessor': ('size', ),
    'mic_mm.HRDAEncoderDecoder': ('hr_crop_size', ),
}
# What makes a network of the type small enough for a test.
_WIDTHS: dict[str, dict[str, Any]] = {
    'mic_mm.MixVisionTransformer': dict(
        embed_dims=4, num_layers=[1, 1, 1, 1], init_cfg=None),
    'mic_mm.DAFormerHead': dict(in_channels=[4, 8, 20, 32], channels=8),
    'ResNetV1c': dict(
        depth=50, stem_channels=8, base_channels=4, init_cfg=None),
    'mic_mm.DLV2Head': dict(in_channels=128),
    'mic_mm.HRDAHead': dict(attention_channels=8),
}


def shrink_config(cfg: Mapping, root: Path) -> dict:
    """A config of the street scenes for the data of ``root``, in small.

    All lengths in pixels are divided by :data:`FACTOR`; the networks become
    narrow and start from random weights; data are loaded in the process.
    Everything else stays.
    """
    small = _shrink(cfg, root)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        small[name].update(num_workers=0, persistent_workers=False)
    return small


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
    for key in _SIDES.get(type_, ()):
        if key in cfg:
            cfg[key] = _divide(cfg[key])
    if cfg.get('mode') == 'slide':  # a test_cfg
        cfg.update({k: _divide(cfg[k]) for k in ('crop_size', 'stride')})
    if type_ == 'mic_mm.RareClassSampling':
        cfg['min_pixels'] //= FACTOR**2
    if 'data_prefix' in cfg:  # a dataset: nothing to share between processes
        cfg['serialize_data'] = False
    cfg.update(_WIDTHS.get(type_, {}))
    return cfg


def _divide(sides: Any) -> Any:
    if isinstance(sides, (list, tuple)):
        return tuple(side // FACTOR for side in sides)
    return sides // FACTOR
