# Copyright (c) mic_mm authors. All rights reserved.
"""What data samples say about the origin of their labels.

===============  =======  ==================================================
field            default  meaning
===============  =======  ==================================================
``is_source``    True     Whether the labels train the detector. An image
                          where it is False only contributes proposals and
                          RoIs, which domain classifiers learn from.
``is_pseudo``    False    Whether the labels come from a teacher.
===============  =======  ==================================================

Both may be set as meta information or as a data field.
"""
from __future__ import annotations

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData


def is_source(sample: DetDataSample) -> bool:
    """Whether the labels of an image train the detector."""
    return bool(sample.get('is_source', True))


def is_pseudo(sample: DetDataSample) -> bool:
    """Whether the labels of an image come from a teacher."""
    return bool(sample.get('is_pseudo', False))


def domain_meta(sample: DetDataSample) -> dict:
    """Meta information of an image, with both fields."""
    return {
        **sample.metainfo, 'is_source': is_source(sample),
        'is_pseudo': is_pseudo(sample)
    }


def ground_truth(sample: DetDataSample,
                 device: torch.device) -> InstanceData:
    """The labels that train the detector; none of an unlabelled image."""
    if is_source(sample):
        return sample.gt_instances
    return InstanceData(
        bboxes=torch.zeros(0, 4, device=device),
        labels=torch.zeros(0, dtype=torch.long, device=device))
