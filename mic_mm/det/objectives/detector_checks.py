# Copyright (c) mic_mm authors. All rights reserved.
"""What domain classifiers need of a detector."""
from __future__ import annotations

from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import nn

_NAME = 'DomainAdversarialDetection'


def check_levels(detector: nn.Module, place: str) -> None:
    """Refuse a detector without the part whose outputs are classified.

    Raises:
        TypeError: If ``detector`` has no ``place``.
    """
    if getattr(detector, place, None) is None:
        raise TypeError(
            f'{_NAME}: features={place!r}, but {type(detector).__name__} has '
            f"no {place}. Use features='backbone', or give the detector a "
            'neck.')


def check_region_head(detector: nn.Module) -> None:
    """Refuse a detector without regions of interest, or with several stages.

    Raises:
        TypeError: If there is no RPN, or no RoI head with one box head that
            has a classification layer ``fc_cls``.
    """
    name = type(detector).__name__
    roi_head = getattr(detector, 'roi_head', None)
    if roi_head is None:
        raise TypeError(
            f'{_NAME}: instance_head classifies regions of interest, but '
            f'{name} has no roi_head. Set instance_head=None (and '
            'consistency=None); image_head works on any detector.')
    if getattr(detector, 'rpn_head', None) is None:
        raise TypeError(
            f'{_NAME}: instance_head draws target regions from proposals, but '
            f'{name} has no rpn_head. Set instance_head=None (and '
            'consistency=None).')
    extractor = getattr(roi_head, 'bbox_roi_extractor', None)
    fc_cls = getattr(getattr(roi_head, 'bbox_head', None), 'fc_cls', None)
    if not isinstance(extractor, SingleRoIExtractor) or not isinstance(
            fc_cls, nn.Linear):
        raise TypeError(
            f'{_NAME}: instance_head needs a RoI head with one '
            'SingleRoIExtractor and one box head with a linear layer fc_cls, '
            f'such as StandardRoIHead with Shared2FCBBoxHead; {name} has '
            f'a {type(roi_head).__name__} without. Set instance_head=None '
            '(and consistency=None).')
