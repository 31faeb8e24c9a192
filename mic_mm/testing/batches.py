# Copyright (c) mic_mm authors. All rights reserved.
"""Random batches in the form in which a data loader delivers them."""
from __future__ import annotations

import torch
from torch import Tensor

SIZE = 32


def _images(generator: torch.Generator,
            count: int,
            size: int = SIZE) -> list[Tensor]:
    return [
        torch.randint(
            0, 256, (3, size, size), generator=generator, dtype=torch.uint8)
        for _ in range(count)
    ]


def seg_batch(seed: int,
              count: int = 2,
              num_classes: int = 4,
              size: int = SIZE) -> dict:
    """Images with label maps (mmseg)."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for _ in range(count):
        sample = SegDataSample(
            metainfo=dict(img_shape=(size, size), ori_shape=(size, size)))
        label = torch.randint(
            0, num_classes, (1, size, size), generator=generator)
        sample.gt_sem_seg = PixelData(data=label)
        samples.append(sample)
    return dict(inputs=_images(generator, count, size), data_samples=samples)


def cls_batch(seed: int, count: int = 4, num_classes: int = 4) -> dict:
    """Images with a class (mmpretrain)."""
    from mmpretrain.structures import DataSample
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, num_classes, (count, ), generator=generator)
    samples = [DataSample().set_gt_label(int(label)) for label in labels]
    return dict(inputs=_images(generator, count), data_samples=samples)


def det_batch(seed: int, count: int = 2, num_classes: int = 4) -> dict:
    """Images with two boxes each (mmdet)."""
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for _ in range(count):
        sample = DetDataSample(
            metainfo=dict(
                img_shape=(SIZE, SIZE),
                ori_shape=(SIZE, SIZE),
                scale_factor=(1., 1.)))
        corner = torch.rand(2, 2, generator=generator) * (SIZE - 16)
        side = 8 + torch.rand(2, 2, generator=generator) * 8
        sample.gt_instances = InstanceData(
            bboxes=torch.cat([corner, corner + side], dim=1),
            labels=torch.randint(
                0, num_classes, (2, ), generator=generator))
        sample.ignored_instances = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        samples.append(sample)
    return dict(inputs=_images(generator, count), data_samples=samples)


def without_labels(batch: dict) -> dict:
    """The batch with the meta information of its data samples only."""
    samples = [type(s)(metainfo=s.metainfo) for s in batch['data_samples']]
    return dict(inputs=batch['inputs'], data_samples=samples)
