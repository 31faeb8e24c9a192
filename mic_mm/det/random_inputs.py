# Copyright (c) mic_mm authors. All rights reserved.
"""Random batches for a detector."""
from __future__ import annotations

import copy
from typing import Optional

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.structures import InstanceData
from torch import nn

Size = tuple[int, int]
# How a model of the library becomes one of mic_mm.
WRAPPER = dict(detector='mic_mm.UDADetector')
_BOXES = 8


def random_batch(student: nn.Module, count: int, size: Size,
                 seed: int) -> dict:
    """Images of random pixels with eight random boxes each, as loaded.

    Args:
        student (nn.Module): The detector.
        count (int): Number of images.
        size (tuple[int, int]): Height and width.
        seed (int): Seed of boxes and pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs, samples = [], []
    limits = torch.tensor([size[1], size[0]], dtype=torch.float)
    for _ in range(count):
        sides = limits * (
            0.1 + 0.3 * torch.rand(_BOXES, 2, generator=generator))
        corner = torch.rand(_BOXES, 2, generator=generator) * (limits - sides)
        sample = DetDataSample(
            metainfo=dict(
                img_shape=size, ori_shape=size, scale_factor=(1., 1.)))
        sample.gt_instances = InstanceData(
            bboxes=torch.cat([corner, corner + sides], dim=1),
            labels=torch.randint(
                0, _num_classes(student), (_BOXES, ), generator=generator))
        sample.ignored_instances = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        samples.append(sample)
        inputs.append(
            torch.randint(
                0, 256, (3, *size), generator=generator, dtype=torch.uint8))
    return dict(inputs=inputs, data_samples=samples)


def _num_classes(student: nn.Module) -> int:
    head = getattr(student, 'roi_head', student).bbox_head
    head = head[0] if isinstance(head, nn.ModuleList) else head
    return head.num_classes


def image_size(cfg: Config) -> Optional[Size]:
    """Not known from the model of a detector."""
    return None


def resized_model(model: ConfigDict, size: Size) -> ConfigDict:
    """A copy of a model's config: detectors take images of any size."""
    return copy.deepcopy(model)
