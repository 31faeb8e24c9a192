# Copyright (c) mic_mm authors. All rights reserved.
"""The detector of the original, at the sizes of a recording."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from .golden import GoldenCase

_MODEL = (
    Path(__file__).parents[2] / 'configs' / '_base_' / 'models' /
    'sada-faster-rcnn_r50-caffe_fpn.py')


def published_detector() -> ConfigDict:
    """The ``model`` section of the config we ship."""
    return Config.fromfile(_MODEL).model


def image(size_hw: Iterable[int],
          boxes=None,
          labels=None,
          **fields) -> DetDataSample:
    """A data sample with the recorded ground truth of an image.

    Args:
        size_hw (Iterable[int]): Height and width, without padding.
        boxes (array-like, optional): ``(N, 4)``.
        labels (array-like, optional): As recorded, from 1. Defaults to 1.
        **fields: Meta information.
    """
    height, width = (int(side) for side in size_hw)
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(height, width), scale_factor=(1., 1.), **fields))
    if boxes is not None:
        boxes = torch.as_tensor(boxes)
        labels = torch.ones(len(boxes)) if labels is None else labels
        sample.gt_instances = InstanceData(
            bboxes=boxes, labels=torch.as_tensor(labels).long() - 1)
    return sample


def keys_of(chosen: Iterable[Iterable[int]], width: int) -> Tensor:
    """Keys with which a ``KeySampler`` samples exactly ``chosen``."""
    rows = [torch.ones(width) for _ in chosen]
    for row, indices in zip(rows, chosen):
        row[torch.as_tensor(indices)] = 0.
    return torch.stack(rows)


def background_last(values: Tensor) -> Tensor:
    """Move the first class, the original's background, to the end."""
    return torch.cat([values[..., 1:], values[..., :1]], -1)


def weights_of(case: GoldenCase, prefix: str) -> dict[str, Tensor]:
    """Recorded weights, under the names of the original."""
    return {
        name.removeprefix(prefix): torch.from_numpy(case[name])
        for name in case.names(f'{prefix}*')
    }
