# Copyright (c) mic_mm authors. All rights reserved.
"""Random batches for a classifier."""
from __future__ import annotations

import copy
from typing import Optional

import torch
from mmengine.config import Config, ConfigDict
from mmpretrain.structures import DataSample
from torch import nn

Size = tuple[int, int]
# How a model of the library becomes one of mic_mm.
WRAPPER = dict(classifier='mic_mm.UDAClassifier')


def random_batch(student: nn.Module, count: int, size: Size,
                 seed: int) -> dict:
    """Images of random pixels with random classes, as loaded.

    Args:
        student (nn.Module): The classifier.
        count (int): Number of images.
        size (tuple[int, int]): Height and width.
        seed (int): Seed of classes and pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(
        0, student.head.num_classes, (count, ), generator=generator)
    inputs = [
        torch.randint(
            0, 256, (3, *size), generator=generator, dtype=torch.uint8)
        for _ in range(count)
    ]
    samples = [DataSample().set_gt_label(label) for label in labels.tolist()]
    return dict(inputs=inputs, data_samples=samples)


def image_size(cfg: Config) -> Optional[Size]:
    """Not known from the model of a classifier."""
    return None


def resized_model(model: ConfigDict, size: Size) -> ConfigDict:
    """A copy of a model's config for training images of another size.

    A transformer has one position for each patch, hence its ``img_size``.
    """
    model = copy.deepcopy(model)
    backbone = model.classifier.get('backbone') or {}
    if 'img_size' in backbone or 'Transformer' in str(backbone.get('type')):
        backbone['img_size'] = tuple(size)
    return model
