# Copyright (c) mic_mm authors. All rights reserved.
"""One pass of a detector over the images of both domains."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mic_mm.core import DomainBatch, LabelledImages

# The field of a data sample by which heads of mic_mm know the domain.
IS_SOURCE = 'is_source'


def join_domains(
        batch: DomainBatch,
        target_boxes: Optional[Sequence[Tensor]] = None) -> LabelledImages:
    """Source and target images of an iteration as one batch, source first.

    Smaller images get a border of zeros, the mean pixel, on the right and at
    the bottom, as in a batch of one domain.  The data samples are copies;
    those of the target have ``is_source=False`` for heads that read it.

    Args:
        batch (DomainBatch): The iteration.
        target_boxes (Sequence[Tensor], optional): Boxes of each target
            image, (N, 4), from which regions are drawn too. Defaults to
            None, no boxes.
    """
    size = [
        max(part.inputs.shape[dim] for part in (batch.source, batch.target))
        for dim in (-2, -1)
    ]
    samples = [_joint_sample(s, size, True) for s in batch.source.data_samples]
    for index, sample in enumerate(batch.target.data_samples):
        joint = _joint_sample(sample, size, False)
        boxes = batch.target.inputs.new_zeros(0, 4)
        if target_boxes is not None:
            boxes = target_boxes[index]
        joint.gt_instances = InstanceData(
            bboxes=boxes, labels=torch.zeros_like(boxes[:, 0]).long())
        joint.ignored_instances = InstanceData(bboxes=boxes[:0])
        samples.append(joint)
    return LabelledImages(
        torch.cat([
            _enlarged(part.inputs, size)
            for part in (batch.source, batch.target)
        ]), samples)


def _enlarged(images: Tensor, size: Sequence[int]) -> Tensor:
    height, width = images.shape[-2:]
    return F.pad(images, (0, size[1] - width, 0, size[0] - height))


def _joint_sample(sample: DetDataSample, size: Sequence[int],
                  is_source: bool) -> DetDataSample:
    joint = sample.new()
    joint.set_metainfo(dict(batch_input_shape=tuple(size)))
    joint.set_field(is_source, IS_SOURCE)
    return joint


@contextmanager
def fixed_features(detector: nn.Module,
                   features: Sequence[Tensor]) -> Iterator[None]:
    """Let the detector go on from given features, whatever the images.

    So the heads of a stock detector compute their losses on a part of a
    batch that has passed through backbone and neck as a whole.

    Raises:
        TypeError: If the detector did not ask for features inside the
            context.
    """
    asked = []

    def extract_feat(*args, **kwargs):
        asked.append(True)
        return features

    detector.extract_feat = extract_feat  # shadows the method
    try:
        yield
    finally:
        del detector.extract_feat
    if not asked:
        raise TypeError(
            f'{type(detector).__name__}.loss does not call extract_feat, so '
            'source and target images cannot share a pass. Use '
            'mic_mm.SourceSupervision in the place of '
            'mic_mm.DomainAdversarialDetection.')
