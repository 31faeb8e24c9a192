# Copyright (c) mic_mm authors. All rights reserved.
"""Random batches for a segmentor, and segmentors for other image sizes."""
from __future__ import annotations

import copy
from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from .pixel_weights import loss_heads

Size = tuple[int, int]
# How a model of the library becomes one of mic_mm.
WRAPPER = dict(segmentor='mic_mm.UDASegmentor')
# Side in pixels of the patches of one class and colour.
_PATCH = 16


def random_batch(student: nn.Module, count: int, size: Size,
                 seed: int) -> dict:
    """Images of random patches, each of one class, as loaded.

    Args:
        student (nn.Module): The segmentor.
        count (int): Number of images.
        size (tuple[int, int]): Height and width.
        seed (int): Seed of classes and colours.
    """
    generator = torch.Generator().manual_seed(seed)
    num_classes = loss_heads(student)[0].num_classes
    inputs, samples = [], []
    for _ in range(count):
        grid = [-(-side // _PATCH) for side in size]
        classes = torch.randint(0, num_classes, grid, generator=generator)
        labels = _enlarged(classes[None].float(), size).long()
        colors = torch.rand(3, *grid, generator=generator) * 255
        noise = torch.randn(3, *size, generator=generator) * 8
        image = _enlarged(colors, size) + noise
        inputs.append(image.clamp(0, 255).to(torch.uint8))
        sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size))
        sample.gt_sem_seg = PixelData(data=labels)
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def _enlarged(maps: torch.Tensor, size: Size) -> torch.Tensor:
    large = F.interpolate(maps[None], scale_factor=float(_PATCH))[0]
    return large[:, :size[0], :size[1]]


def image_size(cfg: Config) -> Optional[Size]:
    """Height and width of the training images, from the preprocessor."""
    preprocessor = cfg.model.segmentor.get('data_preprocessor') or {}
    size = preprocessor.get('size')
    return tuple(size) if size else None


def resized_model(model: ConfigDict, size: Size) -> ConfigDict:
    """A copy of a model's config for training images of another size.

    The preprocessor pads to it, and the detail crop of HRDA and the margins
    without labels keep their share of the image.
    """
    model = copy.deepcopy(model)
    segmentor = model.segmentor
    old = (segmentor.get('data_preprocessor') or {}).get('size')
    if not old or tuple(old) == tuple(size):
        return model
    segmentor.data_preprocessor.size = tuple(size)
    if segmentor.get('hr_crop_size'):
        unit = segmentor.get('crop_coord_divisible', 8)
        segmentor.hr_crop_size = tuple(
            side * new // before // unit * unit
            for side, new, before in zip(segmentor.hr_crop_size, size, old))
    labeller: dict[str, Any] = model.get('labeller') or {}
    for margin in ('ignore_top', 'ignore_bottom'):
        if margin in labeller:
            labeller[margin] = labeller[margin] * size[0] // old[0]
    return model
